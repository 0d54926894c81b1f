import AddIcon from "@mui/icons-material/Add";
import CloseIcon from "@mui/icons-material/Close";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import FormControl from "@mui/material/FormControl";
import InputLabel from "@mui/material/InputLabel";
import MenuItem from "@mui/material/MenuItem";
import Select from "@mui/material/Select";
import TextField from "@mui/material/TextField";
import { useId, useRef, useState, type KeyboardEvent, type SubmitEvent } from "react";
import { flushSync } from "react-dom";
import { useTranslation } from "react-i18next";

import { IconAction } from "../../components/IconAction";
import { Options } from "../../components/Options";
import { Sheet } from "../../components/Sheet";
import { useClient } from "../../matrix/MatrixProvider";
import { LONGEST, MOST_ANSWERS, sendPoll } from "../../matrix/polls";
import type { Place } from "../../matrix/send";

interface Props {
  place: Place;
  onClose: () => void;
}

interface Line {
  readonly id: number;
  readonly text: string;
}

/** Asks everybody in a conversation something. */
export function PollDialog({ place, onClose }: Props) {
  const { t } = useTranslation();
  const client = useClient();
  const formId = useId();
  const mostId = useId();
  const form = useRef<HTMLFormElement>(null);
  const count = useRef(2);
  const [question, setQuestion] = useState("");
  const [lines, setLines] = useState<readonly Line[]>([
    { id: 0, text: "" },
    { id: 1, text: "" },
  ]);
  const [most, setMost] = useState(1);
  const [open, setOpen] = useState<"open" | "hidden">("open");
  const answers = lines.map(({ text }) => text.trim()).filter(Boolean);
  const twice = new Set(answers).size < answers.length;
  const ready = question.trim() !== "" && answers.length >= 2 && !twice;

  const change = (id: number, text: string) =>
    setLines((before) => before.map((line) => (line.id === id ? { id, text } : line)));
  const focusLine = (index: number) =>
    form.current?.querySelectorAll<HTMLElement>("[data-answer]")[index]?.focus();
  const add = () => {
    if (lines.length >= MOST_ANSWERS) return;
    const id = count.current;
    count.current += 1;
    // At once: what is typed next belongs into the new line already.
    flushSync(() => setLines([...lines, { id, text: "" }]));
    focusLine(lines.length);
  };
  const remove = (index: number) => {
    flushSync(() => {
      setLines(lines.filter((_, other) => other !== index));
      setMost((before) => Math.min(before, Math.max(1, lines.length - 1)));
    });
    focusLine(Math.max(0, index - 1));
  };
  // Enter goes on to the next answer, as in a list that is being written.
  const onEnter = (press: KeyboardEvent, index: number) => {
    if (press.key !== "Enter" || press.nativeEvent.isComposing) return;
    press.preventDefault();
    if (index + 1 < lines.length) focusLine(index + 1);
    else if (lines[index]?.text.trim()) add();
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!ready) return;
    sendPoll(client, place, { question: question.trim(), answers, most, open: open === "open" });
    onClose();
  };
  return (
    <Sheet
      title={t("extras.poll")}
      onClose={onClose}
      width="xs"
      actions={
        <>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button type="submit" form={formId} variant="contained" disabled={!ready}>
            {t("extras.ask")}
          </Button>
        </>
      }
    >
      <Box
        component="form"
        id={formId}
        ref={form}
        onSubmit={submit}
        sx={{ display: "flex", flexDirection: "column", gap: 1.5, pt: 1 }}
      >
        <TextField
          fullWidth
          required
          size="small"
          label={t("extras.question")}
          value={question}
          onChange={({ target }) => setQuestion(target.value)}
          slotProps={{ htmlInput: { maxLength: LONGEST, dir: "auto", "data-first": true } }}
        />
        <Box role="group" aria-label={t("extras.answers")} sx={{ display: "grid", gap: 1 }}>
          {lines.map(({ id, text }, index) => (
            <Box key={id} sx={{ display: "flex", alignItems: "center", gap: 0.5 }}>
              <TextField
                fullWidth
                size="small"
                label={t("extras.answer", { number: index + 1 })}
                value={text}
                onChange={({ target }) => change(id, target.value)}
                onKeyDown={(press) => onEnter(press, index)}
                slotProps={{ htmlInput: { maxLength: LONGEST, dir: "auto", "data-answer": true } }}
              />
              {lines.length > 2 && (
                <IconAction
                  label={t("extras.removeAnswer", { number: index + 1 })}
                  onClick={() => remove(index)}
                >
                  <CloseIcon fontSize="small" />
                </IconAction>
              )}
            </Box>
          ))}
        </Box>
        {twice && (
          <Box role="alert" sx={{ color: "dangerText", typography: "body2" }}>
            {t("extras.sameAnswers")}
          </Box>
        )}
        <Button
          onClick={add}
          disabled={lines.length >= MOST_ANSWERS}
          startIcon={<AddIcon />}
          sx={{ alignSelf: "flex-start" }}
        >
          {t("extras.addAnswer")}
        </Button>
        <FormControl size="small" fullWidth>
          <InputLabel id={mostId}>{t("extras.most")}</InputLabel>
          <Select
            labelId={mostId}
            label={t("extras.most")}
            value={most}
            onChange={({ target }) => setMost(Number(target.value))}
          >
            {lines.map(({ id }, index) => (
              <MenuItem key={id} value={index + 1}>
                {index + 1}
              </MenuItem>
            ))}
          </Select>
        </FormControl>
        <Options
          title={t("extras.results")}
          value={open}
          onChange={setOpen}
          options={[
            { value: "open", label: t("extras.resultsOpen"), text: t("extras.resultsOpenText") },
            { value: "hidden", label: t("extras.resultsHidden"), text: t("extras.resultsHiddenText") },
          ]}
        />
      </Box>
    </Sheet>
  );
}
