import AdvancedIcon from "@mui/icons-material/BuildOutlined";
import GeneralIcon from "@mui/icons-material/InfoOutlined";
import LinkIcon from "@mui/icons-material/Link";
import RightsIcon from "@mui/icons-material/VpnKeyOutlined";
import Box from "@mui/material/Box";
import { useState, type ReactElement, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { tell } from "../../components/Announcer";
import { SectionSheet } from "../../components/SectionSheet";
import { may, useAuthority, type Act } from "../../matrix/authority";
import { roleOf } from "../../matrix/channel";
import { reasonOf } from "../../matrix/requests";
import { useRoom } from "../../matrix/rooms";
import { useRoomSettings } from "../../matrix/settings";
import { AddressSettings } from "./AddressSettings";
import { AdvancedSettings } from "./AdvancedSettings";
import { GeneralSettings } from "./GeneralSettings";
import { RightsSettings } from "./RightsSettings";

type Page = "general" | "rights" | "addresses" | "advanced";

interface Props {
  roomId: string;
  page: string;
  onPage: (page: string) => void;
  onClose: () => void;
  onOpen: (roomId: string) => void;
}

/** What each page of the settings gets. */
export interface Changing {
  readonly roomId: string;
  /** Why this person may not change something, or null. */
  readonly locked: (act: Act) => string | null;
  /** Does something and says how it went. */
  readonly change: (action: Promise<unknown>) => Promise<boolean>;
}

/** What a channel is: its name, who comes in, who writes. Each change counts at once. */
export function RoomSettings({ roomId, page, onPage, onClose, onOpen }: Props) {
  const { t } = useTranslation();
  const room = useRoom(roomId);
  const settings = useRoomSettings(roomId);
  const authority = useAuthority(roomId);
  const [failure, setFailure] = useState("");
  if (!room || !settings) return null;
  const changing: Changing = {
    roomId,
    locked: (act) =>
      may(authority, act)
        ? null
        : t("channels.onlyRole", { role: t(`channels.roles.${roleOf(authority.needs[act])}`) }),
    change: async (action) => {
      setFailure("");
      try {
        await action;
        tell(t("channels.saved"));
        return true;
      } catch (error) {
        setFailure(t("common.failed", { reason: reasonOf(error) }));
        return false;
      }
    },
  };
  const section = (name: Page, icon: ReactElement, content: ReactNode) => ({
    name,
    icon,
    label: t(`channels.${name}`),
    draw: () => (
      <>
        {failure && (
          <Box role="alert" sx={{ mb: 2, color: "dangerText", typography: "body2" }}>
            {failure}
          </Box>
        )}
        {content}
      </>
    ),
  });
  const shared = { ...changing, settings };
  const channel = room.kind === "channel";
  return (
    <SectionSheet
      title={t(channel ? "channels.settings" : "channels.groupSettings")}
      label={t("channels.sections")}
      shown={page}
      onShow={onPage}
      onClose={onClose}
      sections={[
        section("general", <GeneralIcon />, <GeneralSettings {...shared} room={room} />),
        section("rights", <RightsIcon />, <RightsSettings {...shared} room={room} />),
        ...(channel ? [section("addresses", <LinkIcon />, <AddressSettings {...shared} />)] : []),
        section("advanced", <AdvancedIcon />, <AdvancedSettings {...shared} room={room} onOpen={onOpen} />),
      ]}
    />
  );
}
