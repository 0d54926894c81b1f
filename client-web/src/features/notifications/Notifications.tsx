import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { useAccountData } from "../../matrix/accountData";
import { useClient, useUserId } from "../../matrix/MatrixProvider";
import { type Card, Notifier, type Sound } from "../../matrix/notify/Notifier";
import { isQuiet, QUIET, readQuiet } from "../../matrix/notify/quiet";
import { Tabs } from "../../matrix/notify/Tabs";
import { serverNow } from "../../matrix/serverTime";
import { usePresence } from "../../matrix/presence";
import { desktopNotifications } from "../../preferences/desktop";
import { preferences } from "../../preferences/store";

interface Props {
  /** The room that is open here. */
  roomId: string | null;
  onOpen: (roomId: string, eventId: string | null) => void;
}

const VOLUME = 0.3;

/** Sounds and desktop notifications; draws nothing. */
export function Notifications({ roomId, onOpen }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const me = useUserId();
  const quiet = useAccountData(QUIET);
  const busy = usePresence(me).state === "busy";
  const tabs = useRef<Tabs | null>(null);
  const open = useRef(roomId);
  // What the notifier asks for when something happens, as it is then.
  const now = useRef({ quiet, busy, onOpen, t });
  useEffect(() => {
    now.current = { quiet, busy, onOpen, t };
  });

  useEffect(() => {
    const own = new Tabs(`orvale-voice:${me}`);
    tabs.current = own;
    const look = () => {
      own.looks(document.visibilityState === "visible" && document.hasFocus() ? open.current : null);
    };
    look();
    const players = new Map<Sound, HTMLAudioElement>();
    const shown = new Map<string, Notification>();
    const stop = new Notifier(client, {
      speaks: () => own.speaks,
      isLookedAt: (room) => own.isLookedAt(room),
      isQuiet: () => now.current.busy || isQuiet(readQuiet(now.current.quiet), new Date()),
      mayPlay: () => preferences.get().effective.notification_sounds,
      play: (sound) => {
        const player = players.get(sound) ?? new Audio(`/sounds/${sound}.wav`);
        players.set(sound, player);
        player.volume = VOLUME;
        player.currentTime = 0;
        // A browser plays nothing before somebody has touched the page.
        player.play().catch(() => undefined);
      },
      mayShow: () => desktopNotifications() === "on",
      show: (card) => {
        const { title, body } = words(card, now.current.t);
        try {
          const notification = new Notification(title, {
            body,
            tag: card.roomId,
            icon: "/favicon.svg",
            silent: true,
          });
          notification.onclick = () => {
            window.focus();
            notification.close();
            now.current.onOpen(card.roomId, card.eventId);
          };
          shown.set(card.roomId, notification);
        } catch {
          // Some browsers let only a service worker show them.
          void navigator.serviceWorker?.getRegistration().then((registration) =>
            registration?.showNotification(title, {
              body,
              tag: card.roomId,
              icon: "/favicon.svg",
              silent: true,
              data: { roomId: card.roomId },
            }),
          );
        }
      },
      clear: (room) => {
        shown.get(room)?.close();
        shown.delete(room);
      },
      now: serverNow,
    }).start();
    const events = ["focus", "blur"] as const;
    for (const name of events) window.addEventListener(name, look);
    document.addEventListener("visibilitychange", look);
    return () => {
      stop();
      for (const name of events) window.removeEventListener(name, look);
      document.removeEventListener("visibilitychange", look);
      for (const notification of shown.values()) notification.close();
      own.close();
      tabs.current = null;
    };
  }, [client, me]);

  useEffect(() => {
    open.current = roomId;
    tabs.current?.looks(document.visibilityState === "visible" && document.hasFocus() ? roomId : null);
  }, [roomId]);
  return null;
}

function words(card: Card, t: (key: string, values?: Record<string, string>) => string) {
  const { sender, room } = card;
  if (card.kind === "invite") return { title: room ?? sender, body: t("notify.invite", { sender }) };
  return {
    title: room === null ? sender : t("notify.in", { sender, room }),
    body: card.text ?? t("notify.locked"),
  };
}
