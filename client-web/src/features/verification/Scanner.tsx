import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { announce } from "../../components/Announcer";
import type { Scanned } from "../../matrix/encryption/verification";
import { type CameraTrouble, closeCamera, looksBack, openCamera, troubleOf } from "./camera";

/** Between two looks at the picture, in ms. */
const BETWEEN = 100;
/** After so long without a code, in ms, it is said what helps. */
const SLOW = 12_000;

type Told = "asking" | "ready" | "slow" | Exclude<Scanned, "taken"> | CameraTrouble;

const TROUBLES: readonly Told[] = ["refused", "none", "busy", "insecure", "failed"];

/** The picture of the camera, searched for a code until one is taken. The camera is on as long as this is shown, and no longer. */
export function Scanner({ onCode }: { onCode: (code: string) => Promise<Scanned> }) {
  const { t } = useTranslation();
  const video = useRef<HTMLVideoElement>(null);
  const [told, setTold] = useState<Told>("asking");
  const [mirror, setMirror] = useState(false);
  const [attempt, setAttempt] = useState(0);
  const taken = useRef(onCode);
  useEffect(() => {
    taken.current = onCode;
  }, [onCode]);
  useEffect(() => {
    const picture = video.current;
    if (!picture) return;
    return search(picture, { code: (code) => taken.current(code), tell: setTold, mirror: setMirror });
  }, [attempt]);
  const said = t(`security.verify.camera.${told}`);
  useEffect(() => announce(said), [said]);
  const trouble = TROUBLES.includes(told);
  return (
    <>
      <Typography>{said}</Typography>
      <Box
        ref={video}
        component="video"
        muted
        playsInline
        aria-hidden
        sx={{
          display: trouble ? "none" : "block",
          width: "100%",
          aspectRatio: "4 / 3",
          objectFit: "cover",
          borderRadius: 1,
          bgcolor: "common.black",
          transform: mirror ? "scaleX(-1)" : "none",
        }}
      />
      {(told === "refused" || told === "busy" || told === "failed") && (
        <Button
          variant="outlined"
          onClick={({ currentTarget }) => {
            // It goes, and the focus stays in the dialog.
            currentTarget.closest<HTMLElement>("[data-first]")?.focus();
            setTold("asking");
            setAttempt(attempt + 1);
          }}
          sx={{ alignSelf: "flex-start" }}
        >
          {t("security.locked.again")}
        </Button>
      )}
    </>
  );
}

interface Ear {
  code: (code: string) => Promise<Scanned>;
  tell: (told: Told) => void;
  mirror: (mirror: boolean) => void;
}

/** Turns the camera on and looks for a code until it is stopped, or one is taken. */
function search(video: HTMLVideoElement, ear: Ear): () => void {
  let over = false;
  let stream: MediaStream | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let slow: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    over = true;
    clearTimeout(timer);
    clearTimeout(slow);
    if (stream) closeCamera(stream);
    stream = null;
    video.srcObject = null;
  };
  const begin = async () => {
    const { makeReader } = await import("./decode");
    if (over) return;
    const opened = await openCamera();
    // Whoever has gone while the browser asked is not looked at.
    if (over) return closeCamera(opened);
    stream = opened;
    opened.getVideoTracks()[0]?.addEventListener("ended", () => {
      stop();
      ear.tell("failed");
    });
    ear.mirror(looksBack(opened));
    video.srcObject = opened;
    await video.play();
    ear.tell("ready");
    slow = setTimeout(() => ear.tell("slow"), SLOW);
    const read = makeReader();
    let before: string | null = null;
    const look = async () => {
      const code = read(video);
      // A wrong code that is still in the picture is told once.
      if (code !== null && code !== before) {
        before = code;
        const found = await ear.code(code);
        if (found === "taken") stop();
        else if (!over) {
          clearTimeout(slow);
          ear.tell(found);
        }
      }
      if (!over) timer = setTimeout(() => void look().catch(fail), BETWEEN);
    };
    await look();
  };
  const fail = (refused: unknown) => {
    if (over) return;
    stop();
    ear.tell(troubleOf(refused));
  };
  begin().catch(fail);
  return stop;
}
