import PersonSearchIcon from "@mui/icons-material/PersonSearchOutlined";
import TagIcon from "@mui/icons-material/Tag";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import ButtonBase from "@mui/material/ButtonBase";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useChannelList } from "../../matrix/channelList";
import { useOwnProfile } from "../../matrix/profile";
import { ChannelRow } from "../../shared/ChannelRow";

interface Props {
  onFindPeople: () => void;
  onBrowse: () => void;
  onProfile: () => void;
  onAppearance: () => void;
  onOpen: (roomId: string) => void;
}

const SHOWN = 5;

/** For who is new: people to write to, channels to join, and how to make oneself at home. */
export function FirstRun({ onFindPeople, onBrowse, onProfile, onAppearance, onOpen }: Props) {
  const { t } = useTranslation();
  const { name } = useOwnProfile();
  const { channels, more } = useChannelList("", null);
  const listed = channels?.slice(0, SHOWN) ?? [];
  return (
    <Box sx={{ flex: 1, minHeight: 0, overflow: "auto", display: "flex" }}>
      <Box sx={{ m: "auto", width: "100%", maxWidth: 620, p: 3 }}>
        <Typography variant="h1" sx={{ fontSize: "1.75rem" }}>
          {t("app.empty.welcome", { name })}
        </Typography>
        <Typography sx={{ color: "text.secondary", mt: 0.75, mb: 3 }}>{t("start.text")}</Typography>
        <Box sx={{ display: "grid", gridTemplateColumns: { xs: "1fr", sm: "1fr 1fr" }, gap: 1.5 }}>
          <Way icon={<PersonSearchIcon />} title={t("start.people")} onClick={onFindPeople}>
            {t("start.peopleText")}
          </Way>
          <Way icon={<TagIcon />} title={t("start.channels")} onClick={onBrowse}>
            {t("start.channelsText")}
          </Way>
        </Box>
        {listed.length > 0 && (
          <Box component="section" aria-labelledby="start-channels" sx={{ mt: 4 }}>
            <Typography variant="h2" id="start-channels" sx={{ mb: 0.5 }}>
              {t("start.listed")}
            </Typography>
            <Box component="ul" sx={{ listStyle: "none", m: 0, mx: -1, p: 0 }}>
              {listed.map((channel) => (
                <ChannelRow key={channel.roomId} channel={channel} onOpen={onOpen} />
              ))}
            </Box>
            {(more || (channels?.length ?? 0) > SHOWN) && (
              <Button onClick={onBrowse}>{t("start.all")}</Button>
            )}
          </Box>
        )}
        <Box sx={{ mt: 3, mx: -1, display: "flex", flexWrap: "wrap", gap: 1 }}>
          <Button onClick={onProfile}>{t("app.empty.profile")}</Button>
          <Button onClick={onAppearance}>{t("app.empty.appearance")}</Button>
        </Box>
      </Box>
    </Box>
  );
}

interface WayProps {
  icon: ReactNode;
  title: string;
  onClick: () => void;
  children: ReactNode;
}

function Way({ icon, title, onClick, children }: WayProps) {
  return (
    <ButtonBase
      onClick={onClick}
      sx={{
        p: 2,
        gap: 1.5,
        alignItems: "flex-start",
        justifyContent: "flex-start",
        textAlign: "start",
        border: 1,
        borderColor: "border.control",
        borderRadius: "12px",
        "&:hover": { bgcolor: "surface.hover" },
      }}
    >
      <Box
        aria-hidden
        sx={{
          flex: "none",
          width: 40,
          height: 40,
          borderRadius: "12px",
          display: "grid",
          placeItems: "center",
          bgcolor: "surface.selected",
          color: "accentText",
        }}
      >
        {icon}
      </Box>
      <Box>
        <Box sx={{ fontWeight: 650, fontSize: "0.9375rem" }}>{title}</Box>
        <Box sx={{ typography: "body2", color: "text.secondary" }}>{children}</Box>
      </Box>
    </ButtonBase>
  );
}
