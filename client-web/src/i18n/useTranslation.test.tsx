import { act } from "react";
import i18next from "i18next";
import { createRoot } from "react-dom/client";
import { expect, test, vi } from "vitest";

import { speak } from ".";
import { useTranslation } from "./useTranslation";

test("what is said without numbers and names is looked up once, and anew in another language", async () => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  const place = document.body.appendChild(document.createElement("div"));
  const root = createRoot(place);
  const look = vi.spyOn(i18next, "t");
  function Says() {
    const { t } = useTranslation();
    return (
      <>
        {t("common.close")}, {t("common.close")}
      </>
    );
  }
  await act(async () => {
    await speak("en");
    root.render(<Says />);
  });
  expect(place.textContent).toBe("Close, Close");
  act(() => root.render(<Says />));
  expect(look.mock.calls.filter(([key]) => (key as unknown) === "common.close").length).toBeLessThanOrEqual(
    1,
  );
  await act(() => speak("de"));
  expect(place.textContent).toBe("Schließen, Schließen");
  await act(() => speak("en"));
  act(() => root.unmount());
});
