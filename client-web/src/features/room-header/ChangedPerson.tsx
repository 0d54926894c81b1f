import Warning from "@mui/icons-material/GppMaybeOutlined";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { Strip } from "../../components/Strip";
import { findChanged } from "../../matrix/encryption/doubts";
import { useEncryptionState, useTrustChanges } from "../../matrix/encryption/hooks";
import { useClient, useUserId } from "../../matrix/MatrixProvider";
import { useMembers } from "../../matrix/members";
import { unlessOver } from "../../matrix/unlessOver";
import { TrustActions } from "../../shared/Trust";

/** Among more people than this nobody knows each other's keys. */
const FEW = 50;

/** That somebody of a conversation is not who they were: somebody may have slipped in, or they started over. */
export function ChangedPerson({ roomId }: { roomId: string }) {
  const { t } = useTranslation();
  const client = useClient();
  const me = useUserId();
  const state = useEncryptionState();
  const changes = useTrustChanges();
  const members = useMembers(roomId);
  const [changed, setChanged] = useState<string | null>(null);
  const [looks, setLooks] = useState(0);
  useEffect(() => {
    if (state !== "here" || members.length > FEW) return;
    const others = members.flatMap(({ userId }) => (userId === me ? [] : [userId]));
    return unlessOver(findChanged(client, others), setChanged);
  }, [changes, client, looks, me, members, state]);
  const member = members.find(({ userId }) => userId === changed);
  if (!member) return null;
  return (
    <Strip
      icon={<Warning />}
      text={t("security.notice.change", { name: member.name })}
      actions={
        <TrustActions
          userId={member.userId}
          name={member.name}
          trust="changed"
          onAccepted={() => setLooks(looks + 1)}
        />
      }
    />
  );
}
