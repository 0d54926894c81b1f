import AddIcon from "@mui/icons-material/Add";
import AttachIcon from "@mui/icons-material/AttachFile";
import EmojiIcon from "@mui/icons-material/EmojiEmotionsOutlined";
import SendIcon from "@mui/icons-material/Send";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import {
  Suspense,
  useCallback,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
  type ClipboardEvent,
  type KeyboardEvent,
} from "react";
import { useTranslation } from "react-i18next";

import { alert } from "../../components/Announcer";
import { EmojiPopover } from "../../components/emoji/EmojiPopover";
import { IconAction } from "../../components/IconAction";
import { later } from "../../i18n/later";
import { draftsOf, placeOf, useDraft } from "../../matrix/drafts";
import { viewOf } from "../../matrix/events";
import { useClient } from "../../matrix/MatrixProvider";
import { useMembers } from "../../matrix/members";
import { usePermission } from "../../matrix/permissions";
import { isOpen, useOffers, windowsNow } from "../../matrix/policy";
import { roomStore, useRoomFacts } from "../../matrix/rooms";
import { lastOwn, sendEdit, sendMessage } from "../../matrix/send";
import { fetchEvent, findEvent, markRead, usePowers } from "../../matrix/timeline";
import { uploadsOf } from "../../matrix/upload";
import { usePreferences } from "../../preferences/store";
import { block, compose, nameAt, suggest, wrap, type Edited, type Nameable } from "./compose";
import { GrowingField } from "./GrowingField";
import { Suggestions } from "./Suggestions";
import { Target } from "./Target";
import { UploadList } from "./UploadList";
import { useDrop } from "./useDrop";
import { useTypingNotice } from "./useTypingNotice";

const Extras = later(() => import("./Extras").then((part) => part.Extras));

interface Props {
  roomId: string;
  threadId?: string | null;
}

/** The largest event a server takes is 65,536 bytes with everything around the text, and the text may be in it twice. */
const LIMIT = 24_000;

/** Where messages are written. What is begun stays, whatever happens. */
export function Composer({ roomId, threadId = null }: Props) {
  const { t } = useTranslation();
  const room = useRoomFacts(roomId);
  const powers = usePowers(roomId);
  if (room && !powers.post) {
    return (
      <Box
        role="note"
        sx={{
          mx: 2,
          mb: 2,
          p: 1.5,
          borderRadius: "10px",
          border: 1,
          borderColor: "divider",
          color: "text.secondary",
          textAlign: "center",
          typography: "body2",
        }}
      >
        {room.invited ? t("composer.notJoined") : t("composer.readOnly")}
      </Box>
    );
  }
  return <Field key={placeOf(roomId, threadId)} roomId={roomId} threadId={threadId} />;
}

function Field({ roomId, threadId }: { roomId: string; threadId: string | null }) {
  const { t } = useTranslation();
  const client = useClient();
  const me = client.getSafeUserId();
  const place = placeOf(roomId, threadId);
  const drafts = draftsOf(me);
  const draft = useDraft(me, place);
  const room = useRoomFacts(roomId);
  // Only who is about to be named has to be known.
  const members = useMembers(draft.text.includes("@") ? roomId : null);
  const { send_key, shortcuts } = usePreferences();
  const field = useRef<HTMLTextAreaElement>(null);
  const files = useRef<HTMLInputElement>(null);
  const [cursor, setCursor] = useState(0);
  const [picked, setPicked] = useState(0);
  const [quiet, setQuiet] = useState<string | null>(null);
  const [emoji, setEmoji] = useState<HTMLElement | null>(null);
  const [extras, setExtras] = useState<HTMLElement | null>(null);
  const { accepted } = useOffers();
  const maySendFiles = usePermission("chat.send_files");
  const [refused, setRefused] = useState(false);
  const tell = useTypingNotice(roomId);
  const listId = useId();
  const composing = useRef(false);

  useEffect(() => {
    if (matchMedia("(pointer: fine)").matches) field.current?.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    if (draft.replyTo || draft.editing) field.current?.focus();
  }, [draft.replyTo, draft.editing]);

  const people = useMemo<readonly Nameable[]>(
    () =>
      members
        .filter((member) => member.userId !== me)
        .map((member) => ({ id: member.userId, name: member.name })),
    [members, me],
  );
  const rooms = useCallback((): readonly Nameable[] => {
    const store = roomStore(client);
    return store
      .getSections()
      .channels.map((id) => store.getSummary(id))
      .filter((summary) => summary !== null)
      .map((summary) => ({
        id: client.getRoom(summary.roomId)?.getCanonicalAlias() ?? summary.roomId,
        name: summary.name,
      }));
  }, [client]);

  const typing = nameAt(draft.text, cursor);
  const offered = useMemo<readonly Nameable[]>(() => {
    if (!typing || quiet === `${String(typing.from)} ${typing.term}`) return [];
    if (typing.sign === "#") return suggest(rooms(), typing.term);
    const all = room && room.people > 2 ? [...people, { id: "@room", name: "room" }] : people;
    return suggest(all, typing.term);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the parts of `typing`, which is new each time
  }, [typing?.sign, typing?.term, typing?.from, people, rooms, room?.people, quiet]);
  const choice = Math.min(picked, Math.max(offered.length - 1, 0));

  const change = (edited: Edited) => {
    drafts.set(place, { text: edited.text });
    setCursor(edited.end);
    requestAnimationFrame(() => field.current?.setSelectionRange(edited.start, edited.end));
  };

  const pick = (item: Nameable) => {
    if (!typing) return;
    const written = `${typing.sign}${item.name} `;
    const text = draft.text.slice(0, typing.from) + written + draft.text.slice(cursor);
    const end = typing.from + written.length;
    change({ text, start: end, end });
    setPicked(0);
  };

  const send = () => {
    const message = compose(draft.text, people, rooms());
    if (!message || new TextEncoder().encode(message.body).length > LIMIT) return;
    const edited = draft.editing ? findEvent(client, roomId, draft.editing) : null;
    if (draft.editing && !edited) {
      // An old one, begun on the visit before: what was written is not given up before it is there.
      void fetchEvent(client, roomId, draft.editing).then((found) => {
        if (!found) {
          alert(t("timeline.replyGone"));
          return;
        }
        sendEdit(client, found, message);
        drafts.leave(place);
      });
    } else if (draft.editing) {
      if (edited && viewOf(client, edited).body !== message.body) sendEdit(client, edited, message);
      drafts.leave(place);
    } else {
      // The field is empty before the message stands in the timeline: both in one frame.
      drafts.set(place, { text: "", replyTo: null });
      sendMessage(client, { roomId, threadId, replyTo: draft.replyTo }, message);
    }
    setCursor(0);
    tell(false);
  };

  const onKeyDown = (press: KeyboardEvent<HTMLTextAreaElement>) => {
    // Enter belongs to the input method while it composes. Safari ends the composition before the key: 229 tells.
    if (composing.current || press.nativeEvent.isComposing || press.keyCode === 229) return;
    const command = press.ctrlKey || press.metaKey;
    const { selectionStart, selectionEnd } = press.currentTarget;
    if (offered.length > 0) {
      const by = press.key === "ArrowDown" ? 1 : press.key === "ArrowUp" ? -1 : 0;
      if (by !== 0) {
        setPicked((choice + by + offered.length) % offered.length);
        press.preventDefault();
        return;
      }
      if ((press.key === "Enter" && !press.shiftKey) || press.key === "Tab") {
        pick(offered[choice]!);
        press.preventDefault();
        return;
      }
      if (press.key === "Escape") {
        setQuiet(`${String(typing!.from)} ${typing!.term}`);
        press.preventDefault();
        press.stopPropagation();
        return;
      }
    }
    if (press.key === "Enter") {
      const sends = send_key === "enter" ? !press.shiftKey && !press.altKey : command;
      if (sends) {
        press.preventDefault();
        send();
      }
      return;
    }
    if (
      press.key === "ArrowUp" &&
      draft.text === "" &&
      !draft.editing &&
      !command &&
      !press.altKey &&
      !press.shiftKey
    ) {
      const event = lastOwn(
        client,
        roomId,
        threadId,
        (own) =>
          isOpen(own.getTs(), windowsNow(client).edit) && viewOf(client, own).kind === "text" && !own.status,
      );
      if (event) {
        press.preventDefault();
        const text = viewOf(client, event).body;
        drafts.edit(place, event.getId()!, text);
        setCursor(text.length);
        requestAnimationFrame(() => field.current?.setSelectionRange(text.length, text.length));
      }
      return;
    }
    if (press.key === "Escape") {
      if (draft.editing || draft.replyTo) drafts.leave(place);
      else {
        void markRead(client, roomId, threadId);
        document.dispatchEvent(new CustomEvent("orvale:to-bottom", { detail: { roomId } }));
      }
      press.preventDefault();
      return;
    }
    if (!command || !shortcuts) return;
    const key = press.key.toLowerCase();
    const sign = press.shiftKey ? "" : ({ b: "**", i: "*", e: "`" }[key] ?? "");
    if (sign) change(wrap(draft.text, selectionStart, selectionEnd, sign));
    else if (press.shiftKey && key === "c") change(block(draft.text, selectionStart, selectionEnd));
    else return;
    press.preventDefault();
  };

  const upload = (list: Iterable<File>) => {
    if (!maySendFiles) {
      setRefused(true);
      return;
    }
    for (const file of list) {
      void uploadsOf(client).add({ roomId, threadId, replyTo: draft.replyTo }, file);
    }
    if (draft.replyTo) drafts.set(place, { replyTo: null });
  };
  const onPaste = (paste: ClipboardEvent) => {
    const found = [...paste.clipboardData.files];
    // Office programs put a picture beside the text they copy: the text is meant.
    if (found.length === 0 || paste.clipboardData.getData("text/plain") !== "") return;
    paste.preventDefault();
    upload(found);
  };
  const { zone, dragging } = useDrop((dropped, folders) => {
    if (folders) alert(t("composer.noFolders"));
    if (dropped.length > 0) upload(dropped);
  });

  const size = draft.text.length > LIMIT / 4 ? new TextEncoder().encode(draft.text).length : 0;
  const name = room?.name ?? "";
  return (
    <Box ref={zone} sx={{ position: "relative", flex: "none", px: { xs: 1, md: 2 }, pb: { xs: 1, md: 2 } }}>
      {offered.length > 0 && <Suggestions id={listId} items={offered} active={choice} onPick={pick} />}
      <Box
        sx={(theme) => ({
          border: 1,
          borderColor: dragging ? "primary.main" : "border.control",
          borderRadius: "12px",
          bgcolor: "surface.input",
          "&:focus-within": {
            borderColor: "primary.main",
            boxShadow: `0 0 0 ${theme.highContrast ? "2" : "1"}px ${theme.palette.primary.main}`,
          },
        })}
      >
        <Target roomId={roomId} draft={draft} onLeave={() => drafts.leave(place)} />
        <UploadList roomId={roomId} />
        {dragging && (
          <Box sx={{ p: 1.5, textAlign: "center", color: "accentText", typography: "body2" }}>
            {t("composer.drop")}
          </Box>
        )}
        <Box sx={{ display: "flex", alignItems: "flex-end", p: "5px" }}>
          <IconAction
            label={t(maySendFiles ? "composer.attach" : "composer.noFiles")}
            aria-disabled={!maySendFiles}
            onClick={() => (maySendFiles ? files.current?.click() : setRefused(true))}
            sx={{ ...(maySendFiles ? {} : { opacity: 0.5 }) }}
          >
            <AttachIcon fontSize="small" />
          </IconAction>
          <IconAction
            label={t("composer.more")}
            aria-haspopup="menu"
            onClick={(press) => setExtras(press.currentTarget)}
          >
            <AddIcon fontSize="small" />
          </IconAction>
          <input
            ref={files}
            type="file"
            multiple
            hidden
            accept={accepted}
            onChange={(chosen) => {
              upload(chosen.target.files ?? []);
              chosen.target.value = "";
            }}
          />
          <GrowingField
            ref={field}
            data-composer={place}
            value={draft.text}
            aria-label={t("composer.label", { name })}
            placeholder={threadId ? t("composer.threadPlaceholder") : t("composer.placeholder")}
            aria-haspopup="listbox"
            aria-controls={offered.length > 0 ? listId : undefined}
            aria-activedescendant={offered.length > 0 ? `${listId}-${String(choice)}` : undefined}
            aria-autocomplete="list"
            onChange={(changed) => {
              drafts.set(place, { text: changed.target.value });
              setCursor(changed.target.selectionStart);
              setPicked(0);
              setQuiet(null);
              setRefused(false);
              tell(changed.target.value.trim() !== "" && !draft.editing);
            }}
            onSelect={(selected) => setCursor(selected.currentTarget.selectionStart)}
            onKeyDown={onKeyDown}
            onCompositionStart={() => {
              composing.current = true;
            }}
            onCompositionEnd={() => {
              composing.current = false;
            }}
            onBlur={() => tell(false)}
            onPaste={onPaste}
          />
          <IconAction label={t("composer.emoji")} onClick={(press) => setEmoji(press.currentTarget)}>
            <EmojiIcon fontSize="small" />
          </IconAction>
          <Button
            variant="contained"
            onClick={send}
            disabled={draft.text.trim() === "" || size > LIMIT}
            aria-label={draft.editing ? t("composer.save") : t("composer.send")}
            sx={{
              minWidth: 40,
              width: 40,
              height: 36,
              p: 0,
              borderRadius: "8px",
              marginInlineStart: 0.5,
              "@media (pointer: coarse)": { height: 44, width: 44 },
            }}
          >
            <SendIcon className="pointing" sx={{ fontSize: 18 }} />
          </Button>
        </Box>
        {refused && (
          <Box role="alert" sx={{ px: 1.5, pb: 1, typography: "caption", color: "dangerText" }}>
            {t("composer.noFiles")}
          </Box>
        )}
        {size > LIMIT && (
          <Box role="alert" sx={{ px: 1.5, pb: 1, typography: "caption", color: "dangerText" }}>
            {t("composer.tooLong", { size, limit: LIMIT })}
            {!draft.editing && maySendFiles && (
              <Button
                size="small"
                sx={{ marginInlineStart: 1 }}
                onClick={() => {
                  upload([new File([draft.text], "message.txt", { type: "text/plain" })]);
                  drafts.set(place, { text: "" });
                  setCursor(0);
                  field.current?.focus();
                }}
              >
                {t("composer.asFile")}
              </Button>
            )}
          </Box>
        )}
      </Box>
      {extras && (
        <Suspense fallback={null}>
          <Extras
            place={{ roomId, threadId, replyTo: draft.replyTo }}
            anchor={extras}
            onClose={() => {
              setExtras(null);
              setTimeout(() => field.current?.focus(), 0);
            }}
          />
        </Suspense>
      )}
      <EmojiPopover
        anchor={emoji}
        onClose={() => {
          setEmoji(null);
          setTimeout(() => field.current?.focus(), 0);
        }}
        onPick={(sign) => {
          const text = draft.text.slice(0, cursor) + sign + draft.text.slice(cursor);
          change({ text, start: cursor + sign.length, end: cursor + sign.length });
        }}
      />
    </Box>
  );
}
