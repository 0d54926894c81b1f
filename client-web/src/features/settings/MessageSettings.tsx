import { useTranslation } from "react-i18next";

import { clock } from "../../i18n/times";
import { Choice, SwitchRow } from "./Rows";
import type { Choosing } from "./SettingsDialog";

/** How messages are shown and written. */
export function MessageSettings({ chosen, choose }: Choosing) {
  const { t, i18n } = useTranslation();
  const time = clock(new Date(2025, 7, 24, 14, 15).getTime(), i18n.language);
  return (
    <>
      <Choice
        title={t("settings.timestamps.title")}
        value={chosen.timestamp_format}
        choices={[
          { value: "relative", label: t("settings.timestamps.relative") },
          { value: "absolute", label: t("settings.timestamps.absolute", { time }) },
        ]}
        onChange={(timestamp_format) => {
          choose({ timestamp_format });
        }}
      />
      <Choice
        title={t("settings.position.title")}
        value={chosen.timestamp_position}
        choices={(["right", "tooltip", "below"] as const).map((value) => ({
          value,
          label: t(`settings.position.${value}`),
        }))}
        onChange={(timestamp_position) => {
          choose({ timestamp_position });
        }}
      />
      <Choice
        row={false}
        title={t("settings.sendKey.title")}
        value={chosen.send_key}
        choices={(["enter", "ctrl_enter"] as const).map((value) => ({
          value,
          label: t(`settings.sendKey.${value}`),
        }))}
        onChange={(send_key) => {
          choose({ send_key });
        }}
      />
      <SwitchRow
        title={t("settings.letters.title")}
        text={t("settings.letters.text")}
        checked={chosen.letter_shortcuts}
        onChange={(letter_shortcuts) => {
          choose({ letter_shortcuts });
        }}
      />
      <SwitchRow
        title={t("settings.shortcuts.title")}
        text={t("settings.shortcuts.text")}
        checked={chosen.shortcuts}
        onChange={(shortcuts) => {
          choose({ shortcuts });
        }}
      />
      <SwitchRow
        title={t("settings.previews.title")}
        text={t("settings.previews.text")}
        checked={chosen.link_previews}
        onChange={(link_previews) => {
          choose({ link_previews });
        }}
      />
      <SwitchRow
        title={t("settings.receipts.title")}
        text={t("settings.receipts.text")}
        checked
        disabled
        onChange={() => undefined}
      />
    </>
  );
}
