/** Every place in the application, as patterns for the routes and as addresses. */
export const paths = {
  chat: "/chat",
  room: (roomId: string) => `/chat/room/${encodeURIComponent(roomId)}`,
  /** A message in a room: the room opens around it. */
  event: (roomId: string, eventId: string) =>
    `/chat/room/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`,
  gallery: "/dev/gallery",
} as const;

/** The patterns the routes match. */
export const patterns = {
  chat: "/chat",
  room: "/chat/room/:roomId",
  event: "/chat/room/:roomId/:eventId",
  gallery: "/dev/gallery",
} as const;
