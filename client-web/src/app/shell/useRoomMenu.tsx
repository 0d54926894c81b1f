import { Suspense, type ReactNode } from "react";
import { useNavigate } from "react-router";

import { later } from "../../i18n/later";
import { paths } from "../paths";
import type { Dialogs } from "./useDialogs";

const RoomMenu = later(() => import("../../features/room-menu/RoomMenu").then((part) => part.RoomMenu));

/** Draws the menu of a room, or the part of it about notifications. */
export type DrawRoomMenu = (
  roomId: string,
  anchor: HTMLElement,
  close: () => void,
  only?: "notify",
) => ReactNode;

/** The menu of a room, with its ways to the dialogs about rooms. They belong to the open room, so others are opened first. */
export function useRoomMenu(
  dialogs: Dialogs,
  openRoomId: string | undefined,
  ways?: readonly { readonly label: string; readonly go: () => void }[],
): DrawRoomMenu {
  const navigate = useNavigate();
  return (roomId, anchor, close, only) => {
    const to = (name: "room" | "invite") => (id: string) => {
      if (id === openRoomId) dialogs.show(name);
      else void navigate(`${paths.room(id)}?${name}=`);
    };
    return (
      <Suspense>
        <RoomMenu
          roomId={roomId}
          anchor={anchor}
          only={only}
          ways={ways}
          onClose={close}
          onSettings={to("room")}
          onInvite={to("invite")}
        />
      </Suspense>
    );
  };
}
