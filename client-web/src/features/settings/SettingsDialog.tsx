import Devices from "@mui/icons-material/DevicesOutlined";
import Chat from "@mui/icons-material/ChatBubbleOutlineOutlined";
import Notifications from "@mui/icons-material/NotificationsNoneOutlined";
import Palette from "@mui/icons-material/PaletteOutlined";
import Person from "@mui/icons-material/PersonOutlineOutlined";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Tab from "@mui/material/Tab";
import Tabs from "@mui/material/Tabs";
import { useTheme } from "@mui/material/styles";
import useMediaQuery from "@mui/material/useMediaQuery";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { announce } from "../../components/Announcer";
import { Sheet } from "../../components/Sheet";
import { setAccountData, useAccountData } from "../../matrix/accountData";
import { useClient } from "../../matrix/MatrixProvider";
import { type Preferences, PREFERENCES } from "../../preferences/preferences";
import { preferences, usePreferencesState } from "../../preferences/store";
import { AppearanceSettings } from "./AppearanceSettings";
import { DeviceSettings } from "./DeviceSettings";
import { MessageSettings } from "./MessageSettings";
import { NotificationSettings } from "./NotificationSettings";
import { ProfileSettings } from "../profile/ProfileSettings";

/** The sections, in the order they are listed. */
const sections = [
  ["appearance", <Palette key="i" />],
  ["notifications", <Notifications key="i" />],
  ["messages", <Chat key="i" />],
  ["profile", <Person key="i" />],
  ["devices", <Devices key="i" />],
] as const;

type Section = (typeof sections)[number][0];

/** What a section that changes preferences gets. */
export interface Choosing {
  chosen: Preferences;
  choose: (change: Partial<Preferences>) => void;
}

interface Props {
  page: string;
  onPage: (page: string) => void;
  onClose: () => void;
}

/** The settings. Preferences show at once and are kept when they are saved; closing without saving takes them back. */
export function SettingsDialog({ page, onPage, onClose }: Props) {
  const { t } = useTranslation();
  const theme = useTheme();
  const narrow = useMediaQuery(theme.breakpoints.down("sm"));
  const client = useClient();
  const { saved, tried } = usePreferencesState();
  /** What another client keeps there stays. */
  const kept = useAccountData(PREFERENCES);
  const [failure, setFailure] = useState("");
  const [busy, setBusy] = useState(false);
  const section: Section = sections.find(([name]) => name === page)?.[0] ?? "appearance";
  const chosen = { ...saved, ...tried };
  const changed = JSON.stringify(chosen) !== JSON.stringify(saved);

  useEffect(
    () => () => {
      preferences.try({});
    },
    [],
  );

  const choosing: Choosing = {
    chosen,
    choose: (change) => {
      preferences.try({ ...tried, ...change });
    },
  };
  const save = async () => {
    setBusy(true);
    setFailure("");
    try {
      await setAccountData(client, PREFERENCES, { ...kept, ...chosen });
      preferences.arrived(chosen);
      preferences.try({});
      announce(t("common.saved"));
      onClose();
    } catch (refusal) {
      setFailure(
        t("common.failed", { reason: refusal instanceof Error ? refusal.message : String(refusal) }),
      );
      setBusy(false);
    }
  };

  const pages: Record<Section, ReactNode> = {
    appearance: <AppearanceSettings {...choosing} />,
    notifications: <NotificationSettings {...choosing} />,
    messages: <MessageSettings {...choosing} />,
    profile: <ProfileSettings />,
    devices: <DeviceSettings />,
  };
  return (
    <Sheet
      title={t("settings.title")}
      onClose={onClose}
      width="md"
      bare
      actions={
        <>
          <Box role="alert" sx={{ flex: 1, px: 1, color: "error.main", fontSize: "0.8125rem" }}>
            {failure}
          </Box>
          <Button onClick={onClose}>{t(changed ? "common.cancel" : "common.close")}</Button>
          <Button variant="contained" disabled={!changed} loading={busy} onClick={() => void save()}>
            {t("settings.save")}
          </Button>
        </>
      }
    >
      <Box
        sx={{
          display: "flex",
          flexDirection: { xs: "column", sm: "row" },
          flex: { xs: 1, sm: "0 1 560px" },
          minHeight: 0,
          borderBottom: 1,
          borderColor: "divider",
        }}
      >
        <Tabs
          orientation={narrow ? "horizontal" : "vertical"}
          variant="scrollable"
          value={section}
          onChange={(_, to: Section) => {
            onPage(to);
          }}
          aria-label={t("settings.sections")}
          slotProps={{ indicator: { sx: { display: "none" } } }}
          sx={{
            flex: "none",
            width: { sm: 208 },
            p: 1,
            minHeight: 0,
            borderInlineEnd: { sm: 1 },
            borderBottom: { xs: 1, sm: 0 },
            borderColor: { xs: "divider", sm: "divider" },
            bgcolor: "surface.sidebar",
          }}
        >
          {sections.map(([name, icon]) => (
            <Tab
              key={name}
              value={name}
              id={`settings-tab-${name}`}
              aria-controls={`settings-${name}`}
              icon={icon}
              iconPosition="start"
              label={t(`settings.${name}`)}
              sx={{
                justifyContent: "flex-start",
                borderRadius: 1,
                gap: 1,
                px: 1.25,
                minHeight: 38,
                "& svg": { fontSize: 19 },
                "&.Mui-selected": { bgcolor: "surface.selected" },
                "&:hover": { bgcolor: "surface.sidebarHover" },
                "&.Mui-focusVisible": { outlineOffset: -2 },
              }}
            />
          ))}
        </Tabs>
        <Box
          role="tabpanel"
          id={`settings-${section}`}
          aria-labelledby={`settings-tab-${section}`}
          tabIndex={0}
          sx={{
            flex: 1,
            minWidth: 0,
            overflow: "auto",
            p: { xs: 2, sm: 3 },
            "&:focus-visible": { outlineOffset: -2 },
          }}
        >
          {pages[section]}
        </Box>
      </Box>
    </Sheet>
  );
}
