import Chat from "@mui/icons-material/ChatBubbleOutlineOutlined";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { Suspense } from "react";
import { useTranslation } from "react-i18next";

import { EmptyState } from "../../components/EmptyState";
import { Region } from "../../components/Region";
import { later } from "../../i18n/later";
import { useSyncState } from "../../matrix/MatrixProvider";
import { useRooms } from "../../matrix/rooms";
import type { Dialogs } from "./useDialogs";

const FirstRun = later(() => import("../../features/first-run/FirstRun").then((part) => part.FirstRun));

function useIsEmpty(): boolean {
  const { invites, direct, channels, groups } = useRooms();
  return invites.length + direct.length + channels.length + groups.length === 0;
}

/** Whether this person has no conversation at all yet, as far as the server has told. */
export function useIsNew(): boolean {
  const empty = useIsEmpty();
  return useSyncState() !== "starting" && empty;
}

/** What stands where a conversation will be: for who has some, how to open one; for who is new, how to begin. */
export function Welcome({ dialogs, onOpen }: { dialogs: Dialogs; onOpen: (roomId: string) => void }) {
  const { t } = useTranslation();
  const sync = useSyncState();
  const empty = useIsEmpty();
  const isNew = useIsNew();
  if (empty && sync === "starting") return <Box sx={{ flex: 1 }} />;
  return (
    <Region
      region="timeline"
      label={t("app.region.conversation")}
      sx={{ flex: 1, display: "flex", minHeight: 0 }}
    >
      {isNew ? (
        <Suspense>
          <FirstRun
            onFindPeople={() => dialogs.show("new")}
            onBrowse={() => dialogs.show("channels")}
            onProfile={() => dialogs.show("settings", "profile")}
            onAppearance={() => dialogs.show("settings", "appearance")}
            onOpen={onOpen}
          />
        </Suspense>
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
