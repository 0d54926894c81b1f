import Check from "@mui/icons-material/CheckCircleOutlined";
import Warning from "@mui/icons-material/ErrorOutlineOutlined";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import CircularProgress from "@mui/material/CircularProgress";
import Typography from "@mui/material/Typography";
import type { TFunction } from "i18next";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { alert, announce } from "../../components/Announcer";
import { Sheet } from "../../components/Sheet";
import type { Verification } from "../../matrix/encryption/hooks";
import { readDeviceName } from "../../matrix/encryption/security";
import { useVerification, type VerificationView } from "../../matrix/encryption/verification";
import { useClient } from "../../matrix/MatrixProvider";
import { reasonOf } from "../../matrix/requests";
import { unlessOver } from "../../matrix/unlessOver";
import { Buttons } from "./Buttons";
import { Choice } from "./Choice";

/** Verifying with another device or with somebody else, by code or by emoji, from the question to the answer. */
export function VerificationDialog({ request }: { request: Verification }) {
  const { t } = useTranslation();
  const client = useClient();
  const { view, accept, compare, scan, confirm, mismatch, again, close } = useVerification(client, request);
  const name = client.getUser(view.userId)?.displayName ?? view.userId;
  const device = useDeviceName(view);
  const over = view.step === "done" || view.step === "cancelled";
  const said = sentence(view, name, device, t);
  // A camera that was on for one verification is not for the next.
  const [filming, setFilming] = useState<Verification | null>(null);
  const scanning = view.step === "choosing" && filming === request;
  const step = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // What had the focus went with the step before. A question that nobody awaited takes no key that was meant for a text.
    if (over) announce(said);
    else step.current?.focus();
  }, [over, said, view.step]);
  const end = () => void close();
  const attempt = (act: Promise<void>) => {
    act.catch((refused: unknown) => alert(t("common.failed", { reason: reasonOf(refused) })));
  };
  // What the server refuses ends the verification: the dialog says so.
  const taken = (code: string) =>
    scan(code).catch((refused: unknown) => {
      alert(t("common.failed", { reason: reasonOf(refused) }));
      return "taken" as const;
    });
  return (
    <Sheet
      title={view.own ? t("security.verify.own") : t("security.verify.person", { name })}
      onClose={end}
      firm
      width="xs"
    >
      <Box
        ref={step}
        data-first
        role="group"
        aria-label={scanning ? t("security.verify.scan") : said}
        tabIndex={-1}
        sx={{ display: "flex", flexDirection: "column", gap: 2, pb: 2.5, outline: "none !important" }}
      >
        {over ? (
          <Outcome good={view.step === "done"} title={t(`security.verify.${view.step}`)} text={said} />
        ) : view.step === "ticked" ? (
          <Outcome good text={said} />
        ) : (
          !scanning && <Typography sx={{ overflowWrap: "anywhere" }}>{said}</Typography>
        )}
        {view.step === "asked" && (
          <>
            <Typography variant="body2" sx={{ color: "text.secondary" }}>
              {t(`security.verify.how${view.codes ? "Code" : ""}${view.own ? "Own" : ""}`)}
            </Typography>
            <Buttons>
              <Button onClick={end}>{t("security.verify.decline")}</Button>
              <Button variant="contained" onClick={() => attempt(accept())}>
                {t("security.verify.accept")}
              </Button>
            </Buttons>
          </>
        )}
        {view.step === "choosing" && (
          <Choice
            view={view}
            scanning={scanning}
            onScanning={(on) => setFilming(on ? request : null)}
            onScan={taken}
            onCompare={() => attempt(compare())}
          />
        )}
        {view.step === "scanned" && (
          <Buttons>
            <Button color="error" onClick={mismatch}>
              {t("security.verify.noTick")}
            </Button>
            <Button variant="contained" onClick={() => attempt(confirm())}>
              {t("security.verify.tick")}
            </Button>
          </Buttons>
        )}
        {view.step === "ticked" && (
          <Buttons>
            <Button onClick={end}>{t("common.cancel")}</Button>
          </Buttons>
        )}
        {(view.step === "waiting" || view.step === "preparing" || view.step === "confirmed") && (
          <>
            <Box sx={{ display: "grid", placeItems: "center", py: 2 }}>
              <CircularProgress size={32} aria-label={said} />
            </Box>
            <Buttons>
              <Button onClick={end}>{t("common.cancel")}</Button>
            </Buttons>
          </>
        )}
        {view.step === "comparing" && (
          <>
            {view.emoji.length > 0 ? <Emoji view={view} /> : <Numbers view={view} />}
            <Buttons>
              <Button color="error" onClick={mismatch}>
                {t("security.verify.differ")}
              </Button>
              <Button variant="contained" onClick={() => attempt(confirm())}>
                {t("security.verify.match")}
              </Button>
            </Buttons>
          </>
        )}
        {over && (
          <Buttons>
            {view.step === "cancelled" && view.repeatable && (
              <Button variant="outlined" onClick={() => attempt(again())}>
                {t("security.locked.again")}
              </Button>
            )}
            <Button variant="contained" autoFocus onClick={end}>
              {t("common.close")}
            </Button>
          </Buttons>
        )}
      </Box>
    </Sheet>
  );
}

/** What the other device is called, where it is one's own and known which. */
function useDeviceName({ own, userId, deviceId }: VerificationView): string {
  const client = useClient();
  const [name, setName] = useState("");
  useEffect(() => {
    if (!own || deviceId === null) return;
    return unlessOver(readDeviceName(client, userId, deviceId), setName);
  }, [client, deviceId, own, userId]);
  return name;
}

function sentence(view: VerificationView, name: string, device: string, t: TFunction): string {
  const who = view.own ? (device ? "Device" : "Own") : "Person";
  switch (view.step) {
    case "asked":
      return t(`security.verify.asked${who}`, { name, device });
    case "waiting":
      return t(`security.verify.waiting${who}`, { name, device });
    case "preparing":
      return t("security.verify.preparing");
    case "choosing":
      if (view.code === null && !view.scans) return t("security.verify.stuck");
      return t(`security.verify.${view.code === null ? "scan" : "show"}${who}`, { name, device });
    case "scanned":
    case "ticked":
      return t(`security.verify.${view.step}${who}`, { name, device });
    case "comparing":
      return t(view.emoji.length > 0 ? "security.verify.compare" : "security.verify.numbers");
    case "confirmed":
      return t("security.verify.confirmed");
    case "done":
      return t(`security.verify.done${view.own ? "Own" : "Person"}`, { name });
    case "cancelled":
      return t(`security.verify.reason.${view.reason ?? "other"}`);
  }
}

function Emoji({ view }: { view: VerificationView }) {
  const { t } = useTranslation();
  return (
    <Box
      component="ol"
      sx={{
        listStyle: "none",
        m: 0,
        p: 1.5,
        display: "flex",
        flexWrap: "wrap",
        justifyContent: "center",
        rowGap: 1.5,
        borderRadius: 2,
        border: 1,
        borderColor: "divider",
        bgcolor: "surface.sidebar",
      }}
    >
      {view.emoji.map(({ sign, name }, index) => (
        <Box
          component="li"
          key={index}
          sx={{ width: "25%", minWidth: 76, textAlign: "center", typography: "caption" }}
        >
          <Box aria-hidden sx={{ fontSize: "2.25rem", lineHeight: 1.2 }}>
            {sign}
          </Box>
          <span data-emoji={name}>
            {t(`security.emoji.${name.toLowerCase().replaceAll(" ", "_")}`, { defaultValue: name })}
          </span>
        </Box>
      ))}
    </Box>
  );
}

function Numbers({ view }: { view: VerificationView }) {
  return (
    <Box
      sx={{
        display: "flex",
        justifyContent: "center",
        gap: 3,
        fontSize: "1.75rem",
        fontWeight: 650,
        fontVariantNumeric: "tabular-nums",
      }}
    >
      {view.numbers.map((number) => (
        <span key={number}>{number}</span>
      ))}
    </Box>
  );
}

function Outcome({ good, title, text }: { good: boolean; title?: string; text: string }) {
  const Icon = good ? Check : Warning;
  return (
    <Box sx={{ textAlign: "center", py: 1 }}>
      <Icon aria-hidden sx={{ fontSize: 44, color: good ? "success.main" : "warning.main" }} />
      {title && (
        <Typography variant="h3" component="p" sx={{ mt: 0.5 }}>
          {title}
        </Typography>
      )}
      <Typography sx={{ color: "text.secondary", textWrap: "balance" }}>{text}</Typography>
    </Box>
  );
}
