import Add from "@mui/icons-material/Add";
import Check from "@mui/icons-material/Check";
import Smile from "@mui/icons-material/SentimentSatisfiedAltOutlined";
import Search from "@mui/icons-material/Search";
import Settings from "@mui/icons-material/SettingsOutlined";
import Badge from "@mui/material/Badge";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import ButtonBase from "@mui/material/ButtonBase";
import Divider from "@mui/material/Divider";
import MenuItem from "@mui/material/MenuItem";
import Typography from "@mui/material/Typography";
import { Suspense, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { alert } from "../../components/Announcer";
import { CountBadge } from "../../components/CountBadge";
import { IconAction } from "../../components/IconAction";
import { Keys } from "../../components/Keys";
import { PersonAvatar } from "../../components/PersonAvatar";
import { PresenceDot } from "../../components/PresenceDot";
import { later } from "../../i18n/later";
import { useEncryption } from "../../matrix/encryption/hooks";
import { useClient, useLogOut, useUserId } from "../../matrix/MatrixProvider";
import { usePresence } from "../../matrix/presence";
import { useMedia } from "../../matrix/media";
import { useOwnProfile } from "../../matrix/profile";
import { reasonOf } from "../../matrix/requests";
import { useUnread } from "../../matrix/rooms";
import { setStatus, shownText, useOwnStatus, type Status } from "../../matrix/status";
import { written } from "../keyboard/shortcuts";
import { paths } from "../paths";
import { layout } from "./layout";
import { ProductMark } from "../../components/ProductMark";
import { LaterMenu } from "../../components/LaterMenu";
import type { Dialogs } from "./useDialogs";

const LogOutDialog = later(() => import("./LogOutDialog").then((part) => part.LogOutDialog));

const STATES: readonly Status["state"][] = ["online", "away", "busy", "offline"];

interface Props {
  dialogs: Dialogs;
  onLoggedOut: () => void;
}

/** The bar on top: where one is, the way to everything by name, what is new to begin, and oneself. */
export function TopBar({ dialogs, onLoggedOut }: Props) {
  const { t } = useTranslation();
  return (
    <Box
      component="header"
      data-region="navigation"
      aria-label={t("app.region.navigation")}
      tabIndex={-1}
      sx={layout.bar}
    >
      <Home />
      <SearchField onOpen={() => dialogs.show("search")} />
      <NewChatButton onOpen={() => dialogs.show("new")} />
      <Box sx={{ flex: { xs: "none", md: 1 } }} />
      <IconAction
        label={t("app.bar.settings")}
        keys={written("Mod+,", t)}
        onClick={() => dialogs.show("settings")}
      >
        <Settings fontSize="small" />
      </IconAction>
      <Account dialogs={dialogs} onLoggedOut={onLoggedOut} />
    </Box>
  );
}

/** The way to all conversations, and how much is unread in them: of the bar only this is drawn again with each message. */
function Home() {
  const { t } = useTranslation();
  const { count, mentions } = useUnread();
  const label = t("app.bar.unread", { count });
  return (
    <Box
      component={Link}
      to={paths.chat}
      aria-label={count > 0 ? `${t("app.bar.chat")}, ${label}` : t("app.bar.chat")}
      sx={{
        display: "flex",
        alignItems: "center",
        gap: 1,
        minHeight: 36,
        "@media (pointer: coarse)": { minHeight: 44, minWidth: 44 },
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
  );
}

/** Begins a conversation: with its name where there is room for it. */
function NewChatButton({ onOpen }: { onOpen: () => void }) {
  const { t } = useTranslation();
  return (
    <Button
      variant="contained"
      onClick={onOpen}
      aria-label={t("rooms.newChat")}
      sx={{
        flex: "none",
        minWidth: 44,
        px: { xs: 1, md: 1.5 },
        "@media (pointer: coarse)": { minHeight: 44 },
      }}
    >
      <Add aria-hidden sx={{ fontSize: 20 }} />
      <Box component="span" sx={{ display: { xs: "none", md: "inline" }, paddingInlineStart: 0.5 }}>
        {t("app.bar.chat")}
      </Box>
    </Button>
  );
}

function SearchField({ onOpen }: { onOpen: () => void }) {
  const { t } = useTranslation();
  return (
    <ButtonBase
      onClick={onOpen}
      aria-keyshortcuts="Control+Shift+F"
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
        <Keys keys={written("Mod+Shift+F", t)} />
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
  const client = useClient();
  const status = useOwnStatus();
  const said = shownText(status);
  const logOut = useLogOut();
  const encryption = useEncryption();
  const [leaving, setLeaving] = useState(false);
  const leave = () => void logOut().finally(onLoggedOut);
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
      <LaterMenu
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
              {userId}
            </Typography>
          </Box>
        </Box>
        <Divider component="li" role="presentation" sx={{ my: 0.5 }} />
        {STATES.map((state) => (
          <MenuItem
            key={state}
            role="menuitemradio"
            aria-checked={status.state === state}
            onClick={choose(() => {
              setStatus(client, { ...status, state }).catch((error: unknown) =>
                alert(t("common.failed", { reason: reasonOf(error) })),
              );
            })}
            sx={{ gap: 1.25 }}
          >
            <PresenceDot presence={state} silent />
            <Box component="span" sx={{ flex: 1 }}>
              {t(`common.presence.${state}`)}
            </Box>
            {status.state === state && <Check aria-hidden sx={{ fontSize: 18, color: "text.secondary" }} />}
          </MenuItem>
        ))}
        <MenuItem
          onClick={choose(() => {
            dialogs.show("status");
          })}
          sx={{ gap: 1.25 }}
        >
          <Smile aria-hidden sx={{ fontSize: 16, mx: "-3px", color: "text.secondary" }} />
          <Box
            component="span"
            dir="auto"
            sx={{ maxWidth: 220, overflow: "hidden", textOverflow: "ellipsis" }}
          >
            {said ? t("rooms.status", { status: said }) : t("app.account.status")}
          </Box>
        </MenuItem>
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
            dialogs.show("saved");
          })}
        >
          {t("app.account.saved")}
        </MenuItem>
        <MenuItem
          onClick={choose(() => {
            dialogs.show("keys");
          })}
        >
          {t("app.account.keys")}
        </MenuItem>
        <Divider component="li" role="presentation" sx={{ my: 0.5 }} />
        <MenuItem
          onClick={choose(() => {
            if (encryption.holdsKeys()) setLeaving(true);
            else leave();
          })}
        >
          {t("app.account.logOut")}
        </MenuItem>
      </LaterMenu>
      <Suspense>
        {leaving && (
          <LogOutDialog
            onLogOut={leave}
            onBackUp={() => {
              setLeaving(false);
              dialogs.show("settings", "security");
            }}
            onClose={() => setLeaving(false)}
          />
        )}
      </Suspense>
    </>
  );
}
