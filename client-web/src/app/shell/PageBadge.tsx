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
  useEffect(() => {
    document.title = count > 0 ? `(${String(count)}) ${name}` : name;
    document.querySelector("link[rel='icon']")?.setAttribute("href", count > 0 ? UNREAD : PLAIN);
    return () => {
      document.title = name;
      document.querySelector("link[rel='icon']")?.setAttribute("href", PLAIN);
    };
  }, [count, name]);
  return null;
}
