import { lazy, useEffect, type ComponentType } from "react";
import { useTranslation } from "react-i18next";

import { alert } from "../components/Announcer";
import { twice } from "../components/twice";
import { moreTexts } from ".";

/**
 * A part of the page that is loaded when it is first shown, with the texts it needs. Without a connection it is told, closed again
 * where it can be, and loaded when it is next shown: the page around it stays.
 */
export function later<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  const asked = () =>
    lazy(async (): Promise<{ default: ComponentType<Props> }> => {
      try {
        const [part] = await Promise.all([twice(load), twice(moreTexts)]);
        return { default: part };
      } catch (failure) {
        // With a connection only a new page can help: a newer version is there, or the browser does not ask twice.
        if (await reachable()) throw failure;
        return { default: (props) => <Missed {...props} onMissed={forget} /> };
      }
    });
  const forget = () => {
    Now = asked();
  };
  let Now = asked();
  return function Part(props: Props) {
    return <Now {...props} />;
  };
}

/** Whether the server answers at all. */
async function reachable(): Promise<boolean> {
  try {
    await fetch("/favicon.svg", { method: "HEAD", cache: "no-store" });
    return true;
  } catch {
    return false;
  }
}

function Missed({ onMissed, onClose }: { onMissed: () => void; onClose?: () => void }) {
  const { t } = useTranslation();
  useEffect(() => {
    onMissed();
    // What nobody opened is not asked for by anybody either.
    if (!onClose) return;
    alert(t("app.failure.offline"));
    onClose();
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once, when it is missed
  }, []);
  return null;
}
