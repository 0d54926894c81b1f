import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useAnnounced } from "../../components/Announcer";
import { Sheet } from "../../components/Sheet";
import { createGroup, findDirect, openDirect } from "../../matrix/directory";
import { useClient } from "../../matrix/MatrixProvider";
import type { Person } from "../../matrix/people";
import { usePermission } from "../../matrix/permissions";
import { reasonOf } from "../../matrix/requests";
import { PeoplePicker } from "../../shared/PeoplePicker";

interface Props {
  onClose: () => void;
  onOpen: (roomId: string) => void;
}

/** Whom to write: one person is a direct message, several are a group. */
export function NewChat({ onClose, onOpen }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const [people, setPeople] = useState<readonly Person[]>([]);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const [first] = people;
  const known = people.length === 1 && first ? findDirect(client, first.userId) !== null : false;
  const permitted = usePermission("chat.create_direct");
  const may = permitted || known;
  const begin = async () => {
    if (!first || busy || !may) return;
    setBusy(true);
    setFailure("");
    try {
      const ids = people.map((person) => person.userId);
      onOpen(ids.length === 1 ? await openDirect(client, first.userId) : await createGroup(client, ids));
    } catch (error) {
      setFailure(reasonOf(error));
      setBusy(false);
    }
  };
  const what = !may
    ? t("chats.notPermitted")
    : !first
      ? t("chats.hint")
      : people.length > 1
        ? t("chats.group", { count: people.length + 1 })
        : t(known ? "chats.directKnown" : "chats.direct", { name: first.name });
  useAnnounced(what);
  return (
    <Sheet
      title={t("chats.title")}
      onClose={onClose}
      actions={
        <>
          <Box sx={{ flex: 1, px: 1, color: "text.secondary", fontSize: "0.8125rem" }}>{what}</Box>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button variant="contained" disabled={!first || !may} loading={busy} onClick={() => void begin()}>
            {t(people.length > 1 ? "chats.startGroup" : known ? "chats.open" : "chats.start")}
          </Button>
        </>
      }
    >
      <Box sx={{ display: "flex", flexDirection: "column", height: { xs: "100%", sm: 420 }, minHeight: 0 }}>
        {failure && (
          <Alert severity="error" variant="outlined" sx={{ mb: 1.5 }}>
            {t("common.failed", { reason: failure })}
          </Alert>
        )}
        <PeoplePicker chosen={people} onChosen={setPeople} onSubmit={() => void begin()} />
      </Box>
    </Sheet>
  );
}
