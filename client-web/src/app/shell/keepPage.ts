/** A file that is dropped beside where files are taken does nothing: browsers would show it instead of the page. */
export function keepPage(): () => void {
  const hold = (drag: DragEvent) => {
    if (drag.defaultPrevented || !drag.dataTransfer?.types.includes("Files")) return;
    drag.preventDefault();
    drag.dataTransfer.dropEffect = "none";
  };
  addEventListener("dragover", hold);
  addEventListener("drop", hold);
  return () => {
    removeEventListener("dragover", hold);
    removeEventListener("drop", hold);
  };
}
