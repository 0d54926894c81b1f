import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Link from "@mui/material/Link";
import Typography from "@mui/material/Typography";
import { type SubmitEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useAnnounced } from "../../components/Announcer";
import { PasswordField } from "../../components/PasswordField";
import { ProductMark } from "../../components/ProductMark";
import {
  findFlows,
  isSoft,
  type LoginFlows,
  loginWithPassword,
  restoreSession,
  type Session,
  SessionError,
} from "../../matrix/session";
import { Field } from "./Field";
import { logInByToken, takeToken } from "./handover";
import { CodeWanted, makeAccount } from "./registration";
import { sentenceFor } from "./sentences";

interface Props {
  onLoggedIn: (session: Session) => void;
  /** The server ended the session that was here. */
  ended?: boolean;
}

/** Logging in with a password or by hand-over from the management system; making an account where the server lets one. */
export function LoginPage({ onLoggedIn, ended = false }: Props) {
  const { t } = useTranslation();
  const [flows, setFlows] = useState<LoginFlows | null>(null);
  const [making, setMaking] = useState(false);
  const [codeWanted, setCodeWanted] = useState(false);
  const [token, setToken] = useState(takeToken);
  const [busy, setBusy] = useState(token !== null);
  useAnnounced(token ? t("login.handedOver") : "");
  const [failure, setFailure] = useState("");
  const alert = useRef<HTMLDivElement>(null);
  const server = location.host;
  /** Whose session only waits for them to log in again. */
  const [again, setAgain] = useState("");

  useEffect(() => {
    void restoreSession().then((kept) => {
      if (kept && isSoft(kept)) setAgain(kept.userId);
    });
  }, []);

  useEffect(() => {
    findFlows(location.origin).then(setFlows, (refusal: unknown) => {
      setFailure(sentenceFor(t, refusal));
    });
  }, [t]);

  useEffect(() => {
    if (!token) return;
    logInByToken(token, deviceName(t("login.device", { browser: browserName() })))
      .then(onLoggedIn, (refusal: unknown) => {
        setFailure(sentenceFor(t, refusal, true));
        setBusy(false);
      })
      .finally(() => {
        setToken(null);
      });
  }, [token, onLoggedIn, t]);

  useEffect(() => {
    if (failure) alert.current?.focus();
  }, [failure]);

  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const read = (name: string) => {
      const value = form.get(name);
      return typeof value === "string" ? value : "";
    };
    const user = read("username").trim();
    const password = read("password");
    setFailure("");
    if (!user || !password) {
      setFailure(t("login.error.empty"));
      return;
    }
    setBusy(true);
    const device = deviceName(t("login.device", { browser: browserName() }));
    try {
      const session = making
        ? await makeAccount({ user, password, deviceName: device, code: read("code") })
        : await loginWithPassword(location.origin, user, password, device);
      onLoggedIn(session);
    } catch (refusal) {
      setBusy(false);
      if (refusal instanceof CodeWanted) setCodeWanted(true);
      else if (refusal instanceof SessionError && refusal.errcode === "UNSUPPORTED") {
        setFailure(t("login.error.unsupported", { stage: refusal.message }));
      } else if (codeWanted && refusal instanceof SessionError && refusal.errcode === "M_UNAUTHORIZED") {
        setFailure(t("login.error.code"));
      } else setFailure(sentenceFor(t, refusal));
    }
  };

  const title = t(making ? "login.register" : "login.title", { server });
  useEffect(() => {
    document.title = title;
  }, [title]);

  return (
    <Box
      component="main"
      sx={{
        minHeight: "100dvh",
        height: "100dvh",
        overflow: "auto",
        display: "grid",
        placeItems: "center",
        p: 2,
        bgcolor: "surface.sidebar",
        color: "text.primary",
      }}
    >
      <Box sx={{ width: "100%", maxWidth: 400, py: 3 }}>
        <Box sx={{ display: "flex", alignItems: "center", gap: 1.25, mb: 3 }}>
          <ProductMark size={36} />
          <Typography
            component="span"
            sx={{ fontSize: "1.25rem", fontWeight: 650, letterSpacing: "-0.015em" }}
          >
            {t("app.product")}
          </Typography>
        </Box>
        <Box
          sx={{
            p: { xs: 2.5, sm: 3.5 },
            borderRadius: 2,
            bgcolor: "surface.messages",
            border: 1,
            borderColor: "divider",
          }}
        >
          <Typography variant="h1" sx={{ mb: 0.75, fontSize: "1.3125rem" }}>
            {title}
          </Typography>
          <Typography variant="body2" sx={{ color: "text.secondary", mb: 2.5 }}>
            {t(again ? "login.again" : ended ? "login.ended" : "login.lead")}
          </Typography>
          {failure && (
            <Alert severity="error" variant="outlined" ref={alert} tabIndex={-1} sx={{ mb: 2 }}>
              {failure}
            </Alert>
          )}
          {token ? (
            <Typography>{t("login.handedOver")}</Typography>
          ) : (
            <Box
              component="form"
              noValidate
              onSubmit={submit}
              sx={{ display: "flex", flexDirection: "column", gap: 2 }}
            >
              <Field
                key={again}
                name="username"
                defaultValue={again}
                label={t("login.user")}
                autoComplete="username"
                autoFocus={!again}
                autoCapitalize="none"
              />
              <PasswordField
                key={`password ${again}`}
                name="password"
                autoFocus={again !== ""}
                label={t(making ? "login.newPassword" : "login.password")}
                autoComplete={making ? "new-password" : "current-password"}
                {...(making && { helperText: t("login.passwordHint") })}
              />
              {making && codeWanted && (
                <Field
                  name="code"
                  label={t("login.registrationToken")}
                  helperText={t("login.registrationTokenHint")}
                  autoComplete="off"
                  autoFocus
                />
              )}
              <Button
                type="submit"
                variant="contained"
                size="large"
                loading={busy}
                fullWidth
                sx={{ mt: 0.5, minHeight: 44 }}
              >
                {t(making ? "login.submitRegister" : "login.submit")}
              </Button>
            </Box>
          )}
          {flows?.registration && !token && (
            <Button
              fullWidth
              sx={{ mt: 1 }}
              onClick={() => {
                setMaking(!making);
                setFailure("");
              }}
            >
              {t(making ? "login.toLogin" : "login.toRegister")}
            </Button>
          )}
        </Box>
        <Box component="details" sx={{ mt: 2, px: 1, fontSize: "0.8125rem", color: "text.secondary" }}>
          <Box
            component="summary"
            sx={{
              cursor: "pointer",
              minHeight: 24,
              borderRadius: 1,
              "@media (pointer: coarse)": { py: 1.5 },
            }}
          >
            {t("login.kept")}
          </Box>
          <Box component="p" sx={{ m: 0, mt: 0.5 }}>
            {t("login.keptText")}
          </Box>
        </Box>
        <Box sx={{ mt: 1, px: 1, fontSize: "0.8125rem" }}>
          <Link
            href="/connect"
            sx={{
              display: "inline-flex",
              alignItems: "center",
              minHeight: 24,
              "@media (pointer: coarse)": { minHeight: 44 },
            }}
          >
            {t("login.other")}
          </Link>
        </Box>
      </Box>
    </Box>
  );
}

function deviceName(text: string): string {
  return text.slice(0, 100);
}

/** What the list of devices calls this browser. */
function browserName(): string {
  const agent = navigator.userAgent;
  const browsers: [RegExp, string][] = [
    [/Edg\//, "Edge"],
    [/Firefox\//, "Firefox"],
    [/OPR\//, "Opera"],
    [/Chrome\//, "Chrome"],
    [/Safari\//, "Safari"],
  ];
  const systems: [RegExp, string][] = [
    [/Android/, "Android"],
    [/iPhone|iPad/, "iOS"],
    [/Windows/, "Windows"],
    [/Mac OS/, "macOS"],
    [/Linux/, "Linux"],
  ];
  const name = (known: [RegExp, string][]) => known.find(([sign]) => sign.test(agent))?.[1];
  return [name(browsers) ?? "Web", name(systems)].filter(Boolean).join(", ");
}
