import Search from "@mui/icons-material/Search";
import Settings from "@mui/icons-material/SettingsOutlined";
import Badge from "@mui/material/Badge";
import Box from "@mui/material/Box";
import ButtonBase from "@mui/material/ButtonBase";
import Divider from "@mui/material/Divider";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import Typography from "@mui/material/Typography";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { CountBadge } from "../../components/CountBadge";
import { IconAction } from "../../components/IconAction";
import { Keys } from "../../components/Keys";
import { PersonAvatar } from "../../components/PersonAvatar";
import { PresenceDot } from "../../components/PresenceDot";
import { useLogOut, useUserId } from "../../matrix/MatrixProvider";
import { usePresence } from "../../matrix/presence";
import { useMedia } from "../../matrix/media";
import { useOwnProfile } from "../../matrix/profile";
import { useUnread } from "../../matrix/rooms";
import { written } from "../keyboard/shortcuts";
import { paths } from "../paths";
import { layout } from "./layout";
import { ProductMark } from "../../components/ProductMark";
import type { Dialogs } from "./useDialogs";

interface Props {
  dialogs: Dialogs;
  onLoggedOut: () => void;
}

/** The bar on top: where one is, the way to everything by name, what is new to begin, and oneself. */
export function TopBar({ dialogs, onLoggedOut }: Props) {
  const { t } = useTranslation();
  const { count, mentions } = useUnread();
  const label = t("app.bar.unread", { count });
  return (
    <Box
      component="header"
      data-region="navigation"
      aria-label={t("app.region.navigation")}
      tabIndex={-1}
      sx={layout.bar}
    >
      <Box
        component={Link}
        to={paths.chat}
        aria-label={count > 0 ? `${t("app.bar.chat")}, ${label}` : t("app.bar.chat")}
        sx={{
          display: "flex",
          alignItems: "center",
          gap: 1,
          minHeight: 36,
          paddingInlineEnd: 1,
          borderRadius: 1,
          color: "text.primary",
          textDecoration: "none",
          width: { md: 264 },
          flex: "none",
        }}
      >
        <ProductMark />
        <Typography component="span" variant="h2" sx={{ display: { xs: "none", sm: "block" } }}>
          {t("app.product")}
        </Typography>
        <CountBadge count={count} loud={mentions > 0} label={label} />
      </Box>
      <SearchField onOpen={() => dialogs.show("switch")} />
      <Box sx={{ flex: { xs: "none", md: 1 } }} />
      <IconAction
        label={t("app.bar.settings")}
        keys={written("Mod+,")}
        onClick={() => dialogs.show("settings")}
      >
        <Settings fontSize="small" />
      </IconAction>
      <Account dialogs={dialogs} onLoggedOut={onLoggedOut} />
    </Box>
  );
}

function SearchField({ onOpen }: { onOpen: () => void }) {
  const { t } = useTranslation();
  return (
    <ButtonBase
      onClick={onOpen}
      aria-keyshortcuts="Control+K"
      sx={{
        flex: 1,
        maxWidth: 520,
        minWidth: 0,
        height: 36,
        px: 1.25,
        gap: 1,
        borderRadius: 1,
        justifyContent: "flex-start",
        border: 1,
        borderColor: "border.control",
        bgcolor: "surface.input",
        color: "text.secondary",
        fontSize: "0.875rem",
        textAlign: "start",
        "@media (pointer: coarse)": { height: 44 },
      }}
    >
      <Search sx={{ fontSize: 18 }} aria-hidden />
      <Box
        component="span"
        sx={{ flex: 1, overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}
      >
        {t("app.bar.search")}
      </Box>
      <Box component="span" aria-hidden sx={{ display: { xs: "none", sm: "inline-flex" } }}>
        <Keys keys={written("Mod+K")} />
      </Box>
    </ButtonBase>
  );
}

function Account({ dialogs, onLoggedOut }: { dialogs: Dialogs; onLoggedOut: () => void }) {
  const { t } = useTranslation();
  const userId = useUserId();
  const profile = useOwnProfile();
  const picture = useMedia(profile.picture, { width: 36, height: 36, crop: true }).url ?? undefined;
  const presence = usePresence(userId);
  const logOut = useLogOut();
  const opener = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const choose = (act: () => void) => () => {
    setOpen(false);
    act();
  };
  return (
    <>
      <IconAction
        ref={opener}
        label={`${t("app.bar.account")}: ${profile.name}, ${t(`common.presence.${presence.state}`)}`}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => {
          setOpen(true);
        }}
      >
        <Badge
          overlap="circular"
          anchorOrigin={{ vertical: "bottom", horizontal: "right" }}
          badgeContent={<PresenceDot presence={presence.state} on="sidebar" size={9} silent />}
        >
          <PersonAvatar id={userId} name={profile.name} src={picture} size={28} />
        </Badge>
      </IconAction>
      <Menu
        open={open}
        anchorEl={() => opener.current}
        onClose={() => {
          setOpen(false);
        }}
        anchorOrigin={{ vertical: "bottom", horizontal: "right" }}
        transformOrigin={{ vertical: "top", horizontal: "right" }}
        slotProps={{
          list: { "aria-label": t("app.bar.account") },
          paper: { sx: { minWidth: 240, mt: 0.5 } },
        }}
      >
        <Box
          component="li"
          role="presentation"
          sx={{ px: 2, py: 1, display: "flex", gap: 1.25, alignItems: "center" }}
        >
          <PersonAvatar id={userId} name={profile.name} src={picture} size={36} />
          <Box sx={{ minWidth: 0 }}>
            <Typography variant="h3" component="div" noWrap>
              {profile.name}
            </Typography>
            <Typography variant="caption" component="div" noWrap sx={{ color: "text.secondary" }}>
              {presence.status || userId}
            </Typography>
          </Box>
        </Box>
        <Divider component="li" role="presentation" sx={{ my: 0.5 }} />
        <MenuItem
          onClick={choose(() => {
            dialogs.show("settings", "profile");
          })}
        >
          {t("app.account.profile")}
        </MenuItem>
        <MenuItem
          onClick={choose(() => {
            dialogs.show("settings");
          })}
        >
          {t("app.account.settings")}
        </MenuItem>
        <MenuItem
          onClick={choose(() => {
            dialogs.show("keys");
          })}
        >
          {t("app.account.keys")}
        </MenuItem>
        <Divider component="li" role="presentation" sx={{ my: 0.5 }} />
        <MenuItem onClick={choose(() => void logOut().finally(onLoggedOut))}>
          {t("app.account.logOut")}
        </MenuItem>
      </Menu>
    </>
  );
}
