import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { useUnread } from "../../matrix/rooms";

const PLAIN = "/favicon.svg";
const UNREAD = "/favicon-unread.svg";

/** What is unread, in the title and the icon of the browser's tab. */
export function PageBadge() {
  const { t } = useTranslation();
  const { count } = useUnread();
  const name = t("app.title");
  const unread = count > 0;
  // Each apart: the browser takes its time with a new icon, also with the same one.
  useEffect(() => {
    document.title = unread ? `(${String(count)}) ${name}` : name;
  }, [count, unread, name]);
  useEffect(() => {
    const icon = document.querySelector("link[rel='icon']");
    icon?.setAttribute("href", unread ? UNREAD : PLAIN);
  }, [unread]);
  useEffect(
    () => () => {
      document.title = name;
      document.querySelector("link[rel='icon']")?.setAttribute("href", PLAIN);
    },
    [name],
  );
  return null;
}
