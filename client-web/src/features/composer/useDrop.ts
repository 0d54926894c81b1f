import { useEffect, useEffectEvent, useRef, useState, type RefObject } from "react";

/** What is dropped: files, and whether folders were among it, which have no content a browser would send. */
function read(data: DataTransfer): { files: File[]; folders: boolean } {
  const items = [...data.items].filter(({ kind }) => kind === "file");
  const files = items.filter((item) => item.webkitGetAsEntry()?.isDirectory !== true);
  return {
    files: files.map((item) => item.getAsFile()).filter((file) => file !== null),
    folders: files.length < items.length,
  };
}

/**
 * Takes files that are dropped anywhere on the conversation a composer belongs to: on what surrounds it and is marked `data-drop`, or
 * else on itself.
 */
export function useDrop(onDrop: (files: readonly File[], folders: boolean) => void): {
  zone: RefObject<HTMLDivElement | null>;
  dragging: boolean;
} {
  const zone = useRef<HTMLDivElement>(null);
  const [dragging, setDragging] = useState(false);
  const taken = useEffectEvent(onDrop);
  useEffect(() => {
    const place = zone.current?.closest<HTMLElement>("[data-drop]") ?? zone.current;
    if (!place) return;
    const over = (drag: DragEvent) => {
      if (!drag.dataTransfer?.types.includes("Files")) return;
      drag.preventDefault();
      setDragging(true);
    };
    const leave = (drag: DragEvent) => {
      if (!(drag.relatedTarget instanceof Node && place.contains(drag.relatedTarget))) setDragging(false);
    };
    const drop = (drag: DragEvent) => {
      setDragging(false);
      if (!drag.dataTransfer?.types.includes("Files")) return;
      drag.preventDefault();
      const { files, folders } = read(drag.dataTransfer);
      taken(files, folders);
    };
    place.addEventListener("dragover", over);
    place.addEventListener("dragleave", leave);
    place.addEventListener("drop", drop);
    return () => {
      place.removeEventListener("dragover", over);
      place.removeEventListener("dragleave", leave);
      place.removeEventListener("drop", drop);
    };
  }, []);
  return { zone, dragging };
}
