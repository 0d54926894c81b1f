import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Checkbox from "@mui/material/Checkbox";
import FormControlLabel from "@mui/material/FormControlLabel";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { type ReactNode, type SubmitEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { tell } from "../../components/Announcer";
import { Sheet } from "../../components/Sheet";
import { changePassword, deactivate } from "../../matrix/account";
import { useClient, useEndHere, useUserId } from "../../matrix/MatrixProvider";
import { Part } from "./Rows";

/** The password, and the way to change it. */
export function PasswordPart() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  return (
    <Part title={t("account.password.title")}>
      <Button variant="outlined" onClick={() => setOpen(true)}>
        {t("account.password.change")}
      </Button>
      {open && <PasswordDialog onClose={() => setOpen(false)} />}
    </Part>
  );
}

/** The end of the account, in two steps. */
export function DeactivatePart() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  return (
    <Part title={t("account.deactivate.title")}>
      <Typography variant="body2" sx={{ color: "text.secondary", mb: 1.5 }}>
        {t("account.deactivate.text")}
      </Typography>
      <Button variant="outlined" color="error" onClick={() => setOpen(true)}>
        {t("account.deactivate.open")}
      </Button>
      {open && <DeactivateDialog onClose={() => setOpen(false)} />}
    </Part>
  );
}

function useForm(act: (read: (name: string) => string) => Promise<void>) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setFailure("");
    try {
      await act((name) => {
        const value = form.get(name);
        return typeof value === "string" ? value : "";
      });
    } catch (refused) {
      const { data, message } = refused as { data?: { errcode?: string; error?: string }; message?: string };
      setFailure(
        data?.errcode === "M_FORBIDDEN"
          ? t("account.wrong")
          : t("common.failed", { reason: data?.error ?? message ?? String(refused) }),
      );
      setBusy(false);
    }
  };
  return { submit, busy, failure };
}

function Form({
  form,
  button,
  children,
}: {
  form: ReturnType<typeof useForm>;
  button: ReactNode;
  children: ReactNode;
}) {
  return (
    <Box
      component="form"
      noValidate
      onSubmit={form.submit}
      sx={{ display: "flex", flexDirection: "column", gap: 2, pb: 2, pt: 0.5 }}
    >
      {children}
      {form.failure && (
        <Typography role="alert" variant="body2" sx={{ color: "error.main" }}>
          {form.failure}
        </Typography>
      )}
      {button}
    </Box>
  );
}

function PasswordDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const client = useClient();
  const [others, setOthers] = useState(false);
  const form = useForm(async (read) => {
    if (read("new") !== read("again")) throw new Error(t("account.password.differ"));
    await changePassword(client, read("old"), read("new"), others);
    tell(t("account.password.done"));
    onClose();
  });
  return (
    <Sheet title={t("account.password.change")} onClose={onClose} width="xs">
      <Form
        form={form}
        button={
          <Button type="submit" variant="contained" loading={form.busy}>
            {t("account.password.change")}
          </Button>
        }
      >
        <TextField
          name="old"
          type="password"
          label={t("account.password.old")}
          autoComplete="current-password"
          autoFocus
        />
        <TextField name="new" type="password" label={t("account.password.new")} autoComplete="new-password" />
        <TextField
          name="again"
          type="password"
          label={t("account.password.again")}
          autoComplete="new-password"
        />
        <FormControlLabel
          control={<Checkbox checked={others} onChange={(_, now) => setOthers(now)} />}
          label={t("account.password.others")}
        />
      </Form>
    </Sheet>
  );
}

function DeactivateDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const client = useClient();
  const userId = useUserId();
  const endHere = useEndHere();
  const [typed, setTyped] = useState("");
  const [erase, setErase] = useState(false);
  const form = useForm(async (read) => {
    await deactivate(client, read("password"), erase);
    await endHere();
  });
  return (
    <Sheet title={t("account.deactivate.title")} onClose={onClose} width="xs">
      <Form
        form={form}
        button={
          <Button
            type="submit"
            variant="contained"
            color="error"
            disabled={typed !== userId}
            loading={form.busy}
          >
            {t("account.deactivate.open")}
          </Button>
        }
      >
        <Typography>{t("account.deactivate.warning")}</Typography>
        <TextField
          label={t("account.deactivate.type", { userId })}
          value={typed}
          onChange={({ target }) => setTyped(target.value)}
          autoComplete="off"
          autoFocus
          slotProps={{ htmlInput: { spellCheck: false, autoCapitalize: "none" } }}
        />
        <TextField
          name="password"
          type="password"
          label={t("account.password.old")}
          autoComplete="current-password"
        />
        <FormControlLabel
          control={<Checkbox checked={erase} onChange={(_, now) => setErase(now)} />}
          label={t("account.deactivate.erase")}
        />
      </Form>
    </Sheet>
  );
}
