import Avatar from "@mui/material/Avatar";
import { useTheme } from "@mui/material/styles";

interface Props {
  /** What is shown where there is no picture: its first letters. */
  name: string;
  /** Decides the colour: the user or room id, which does not change when the name does. */
  id: string;
  src?: string | undefined;
  size?: number;
  /** Rooms are squares with round corners, people are circles. */
  square?: boolean;
}

/** A picture, or the first letters of the name on a colour of its own. Says nothing to screen readers: the name stands beside it. */
export function PersonAvatar({ name, id, src, size = 36, square = false }: Props) {
  const { avatarFills, palette } = useTheme();
  return (
    <Avatar
      aria-hidden
      alt=""
      src={src}
      variant={square ? "rounded" : "circular"}
      slotProps={{ img: { alt: "", loading: "lazy", draggable: false } }}
      sx={{
        width: size,
        height: size,
        fontSize: size * 0.4,
        fontWeight: 650,
        letterSpacing: "-0.02em",
        borderRadius: square ? `${String(Math.round(size * 0.26))}px` : "50%",
        bgcolor: src ? "transparent" : avatarFills[placeOf(id, avatarFills.length)],
        color: palette.avatarInk,
        userSelect: "none",
      }}
    >
      {initials(name)}
    </Avatar>
  );
}

/** The first letters of the first and last word. */
export function initials(name: string): string {
  const words = name
    .replace(/^[@#!+]/, "")
    .split(/[\s._-]+/)
    .filter(Boolean);
  const first = words[0] ?? "?";
  const last = words.length > 1 ? words[words.length - 1] : undefined;
  const letter = (word: string) => Array.from(word)[0]?.toLocaleUpperCase() ?? "";
  return letter(first) + (last ? letter(last) : "");
}

/** Which of so many colours belongs to an id: the same always, and far apart for ids that are nearly the same. */
export function placeOf(id: string, count: number): number {
  let mixed = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(id)) mixed = Math.imul(mixed ^ byte, 0x01000193);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) % count;
}
