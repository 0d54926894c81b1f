import Chat from "@mui/icons-material/ChatBubbleOutlineOutlined";
import Waving from "@mui/icons-material/WavingHandOutlined";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { useTranslation } from "react-i18next";

import { EmptyState } from "../../components/EmptyState";
import { Region } from "../../components/Region";
import { useSyncState } from "../../matrix/MatrixProvider";
import { useOwnProfile } from "../../matrix/profile";
import { useRooms } from "../../matrix/rooms";
import type { Dialogs } from "./useDialogs";

/** What stands where a conversation will be: for who has some, how to open one; for who is new, how to begin. */
export function Welcome({ dialogs }: { dialogs: Dialogs }) {
  const { t } = useTranslation();
  const { name } = useOwnProfile();
  const sync = useSyncState();
  const { invites, direct, channels, groups } = useRooms();
  const isNew = invites.length + direct.length + channels.length + groups.length === 0;
  if (isNew && sync === "starting") return <Box sx={{ flex: 1 }} />;
  return (
    <Region
      region="timeline"
      label={t("app.region.conversation")}
      sx={{ flex: 1, display: "flex", minHeight: 0 }}
    >
      {isNew ? (
        <EmptyState
          level={1}
          icon={<Waving />}
          title={t("app.empty.welcome", { name })}
          text={t("app.empty.welcomeText")}
          actions={
            <>
              <Button
                variant="contained"
                onClick={() => {
                  dialogs.show("settings", "profile");
                }}
              >
                {t("app.empty.profile")}
              </Button>
              <Button
                variant="outlined"
                onClick={() => {
                  dialogs.show("settings", "appearance");
                }}
              >
                {t("app.empty.appearance")}
              </Button>
            </>
          }
        />
      ) : (
        <EmptyState
          level={1}
          icon={<Chat />}
          title={t("app.empty.choose")}
          text={t("app.empty.chooseText")}
          actions={
            <Button
              variant="outlined"
              onClick={() => {
                dialogs.show("switch");
              }}
            >
              {t("app.empty.jump")}
            </Button>
          }
        />
      )}
    </Region>
  );
}
