import Computer from "@mui/icons-material/ComputerOutlined";
import Good from "@mui/icons-material/GppGoodOutlined";
import Unsure from "@mui/icons-material/GppMaybeOutlined";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { type SubmitEvent, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { useTranslation } from "react-i18next";

import { useCalm } from "../../components/calm";
import { alert, tell } from "../../components/Announcer";
import { EmptyState } from "../../components/EmptyState";
import { Later } from "../../components/Later";
import { Sheet } from "../../components/Sheet";
import { ListSkeleton } from "../../components/Skeletons";
import { useTrustChanges } from "../../matrix/encryption/hooks";
import {
  type DeviceTrust,
  readDevices,
  verifyDevice,
  verifyThisDevice,
} from "../../matrix/encryption/security";
import { useClient } from "../../matrix/MatrixProvider";
import { type Device, listDevices, logOutDevices, renameDevice } from "../../matrix/profile";
import { failureOf, refusalOf } from "../../shared/failure";
import { ago } from "./ago";

/** Where this account is logged in. */
export function DeviceSettings() {
  const { t } = useTranslation();
  const client = useClient();
  const [devices, setDevices] = useState<readonly Device[] | null>(null);
  const [failure, setFailure] = useState("");
  const [leaving, setLeaving] = useState<readonly Device[]>([]);

  const load = useCallback(() => {
    listDevices(client).then(
      (found) => {
        setDevices(found);
        setFailure("");
      },
      (refusal: unknown) => {
        setFailure(failureOf(refusal, t));
      },
    );
  }, [client, t]);
  useEffect(load, [load]);
  const trustChanges = useTrustChanges();
  const [trust, setTrust] = useState<ReadonlyMap<string, DeviceTrust> | null>(null);
  useEffect(() => {
    // Without the keys the list stands without marks.
    readDevices(client).then(setTrust, () => setTrust(null));
  }, [client, trustChanges, devices]);
  const thisVerified = devices?.some(({ current, id }) => current && trust?.get(id) === "verified") ?? false;

  const loading = useCalm(!devices && !failure);
  if (failure && !devices) {
    return <EmptyState title={failure} actions={<Button onClick={load}>{t("app.failure.retry")}</Button>} />;
  }
  if (loading || !devices) {
    return (
      <Later>
        <ListSkeleton rows={4} height={56} />
      </Later>
    );
  }
  const others = devices.filter((device) => !device.current);
  return (
    <>
      <Typography variant="body2" sx={{ color: "text.secondary", mb: 1.5 }}>
        {t("settings.device.lead")}
      </Typography>
      <Box component="ul" sx={{ listStyle: "none", p: 0, m: 0 }}>
        {devices.map((device) => (
          <DeviceRow
            key={device.id}
            device={device}
            trust={trust ? (trust.get(device.id) ?? "no-keys") : null}
            canVerify={thisVerified !== device.current && [...(trust?.values() ?? [])].includes("verified")}
            onRenamed={load}
            twin={devices.some((one) => one !== device && one.name === device.name)}
            onLogOut={() => {
              setLeaving([device]);
            }}
          />
        ))}
      </Box>
      {others.length === 0 ? (
        <Typography variant="body2" sx={{ color: "text.secondary", mt: 2 }}>
          {t("settings.device.none")}
        </Typography>
      ) : (
        <Button
          variant="outlined"
          color="error"
          sx={{ mt: 2 }}
          onClick={() => {
            setLeaving(others);
          }}
        >
          {t("settings.device.logOutOthers")}
        </Button>
      )}
      {leaving.length > 0 && (
        <LogOutDialog
          devices={leaving}
          onClose={() => {
            setLeaving([]);
          }}
          onDone={() => {
            setLeaving([]);
            tell(t("common.saved"));
            load();
          }}
        />
      )}
    </>
  );
}

function DeviceRow({
  device,
  trust,
  canVerify,
  twin,
  onRenamed,
  onLogOut,
}: {
  device: Device;
  trust: DeviceTrust | null;
  canVerify: boolean;
  /** Another is called the same. */
  twin: boolean;
  onRenamed: () => void;
  onLogOut: () => void;
}) {
  const { t, i18n } = useTranslation();
  const client = useClient();
  const [renaming, setRenaming] = useState(false);
  const renameButton = useRef<HTMLButtonElement>(null);
  const verifiable = trust === "unverified" && canVerify;
  const wasVerifiable = useRef(verifiable);
  useLayoutEffect(() => {
    // Verified, its button is gone, and with it the focus that came back to it from the dialog.
    if (wasVerifiable.current && !verifiable && document.activeElement === document.body)
      renameButton.current?.focus();
    wasVerifiable.current = verifiable;
  }, [verifiable]);
  const doneRenaming = () => {
    flushSync(() => setRenaming(false));
    renameButton.current?.focus();
  };
  const rename = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = new FormData(event.currentTarget).get("name");
    if (typeof name !== "string" || name.trim() === "") return;
    // What was typed stays until the server has it.
    renameDevice(client, device.id, name.trim()).then(
      () => {
        doneRenaming();
        onRenamed();
      },
      (refusal: unknown) => alert(failureOf(refusal, t)),
    );
  };
  return (
    <Box
      component="li"
      sx={{
        display: "flex",
        gap: 1.5,
        alignItems: "center",
        flexWrap: "wrap",
        py: 1.25,
        borderBottom: 1,
        borderColor: "divider",
      }}
    >
      <Computer aria-hidden sx={{ color: "text.secondary" }} />
      <Box sx={{ flex: 1, minWidth: 160 }}>
        {renaming ? (
          <Box
            component="form"
            onSubmit={rename}
            onKeyDown={(press) => {
              if (press.key !== "Escape") return;
              // The dialog around it stays.
              press.stopPropagation();
              doneRenaming();
            }}
            sx={{ display: "flex", flexWrap: "wrap", gap: 1 }}
          >
            <TextField
              name="name"
              size="small"
              autoFocus
              defaultValue={device.name}
              slotProps={{ htmlInput: { "aria-label": t("settings.device.name"), maxLength: 100 } }}
            />
            <Button type="submit">{t("common.save")}</Button>
            <Button onClick={doneRenaming}>{t("common.cancel")}</Button>
          </Box>
        ) : (
          <>
            <Typography sx={{ fontWeight: 550, overflowWrap: "anywhere" }}>{device.name}</Typography>
            <Typography variant="body2" sx={{ color: "text.secondary" }}>
              {[
                device.current && t("settings.device.this"),
                device.lastSeen !== null &&
                  t("settings.device.seen", { when: ago(device.lastSeen, i18n.language) }),
                device.address,
                twin && device.id,
              ]
                .filter(Boolean)
                .join(" · ")}
            </Typography>
            {trust && <TrustMark trust={trust} />}
          </>
        )}
      </Box>
      <Box sx={actions}>
        {verifiable && !renaming && (
          <Button
            variant="outlined"
            aria-label={`${t("security.action.verify")}: ${device.name}`}
            onClick={() => {
              const verify = device.current ? verifyThisDevice(client) : verifyDevice(client, device.id);
              verify.catch((refusal: unknown) => alert(failureOf(refusal, t)));
            }}
          >
            {t("security.action.verify")}
          </Button>
        )}
        {!renaming && (
          <Button
            ref={renameButton}
            aria-label={`${t("settings.device.rename")}: ${device.name}`}
            onClick={() => {
              setRenaming(true);
            }}
          >
            {t("settings.device.rename")}
          </Button>
        )}
        {!device.current && (
          <Button
            color="error"
            aria-label={`${t("settings.device.logOut")}: ${device.name}`}
            onClick={onLogOut}
          >
            {t("settings.device.logOut")}
          </Button>
        )}
      </Box>
    </Box>
  );
}

/** Beside the device; on a narrow screen below what is said of it. */
const actions = {
  display: "flex",
  flexWrap: "wrap",
  gap: 0.5,
  "@media (max-width: 599.95px)": { flexBasis: "100%", paddingInlineStart: "22px" },
} as const;

function TrustMark({ trust }: { trust: DeviceTrust }) {
  const { t } = useTranslation();
  const Icon = trust === "verified" ? Good : Unsure;
  return (
    <Typography
      variant="body2"
      sx={{
        display: "flex",
        alignItems: "center",
        gap: 0.5,
        color:
          trust === "verified" ? "success.main" : trust === "unverified" ? "warning.main" : "text.secondary",
      }}
    >
      <Icon aria-hidden sx={{ fontSize: 15 }} />
      {t(`security.device.${trust}`)}
    </Typography>
  );
}

function LogOutDialog({
  devices,
  onClose,
  onDone,
}: {
  devices: readonly Device[];
  onClose: () => void;
  onDone: () => void;
}) {
  const { t } = useTranslation();
  const client = useClient();
  const [failure, setFailure] = useState("");
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const password = new FormData(event.currentTarget).get("password");
    setBusy(true);
    setFailure("");
    try {
      await logOutDevices(
        client,
        devices.map(({ id }) => id),
        typeof password === "string" ? password : "",
      );
      onDone();
    } catch (refused) {
      setFailure(refusalOf(refused, t));
      setBusy(false);
      field.current?.select();
    }
  };
  return (
    <Sheet title={t("settings.device.logOutTitle", { count: devices.length })} onClose={onClose} width="xs">
      <Box
        component="form"
        onSubmit={submit}
        sx={{ display: "flex", flexDirection: "column", gap: 2, pb: 2, pt: 1 }}
      >
        <Typography sx={{ overflowWrap: "anywhere" }}>
          {devices.length === 1
            ? t("settings.device.logOutText", { name: devices[0]?.name })
            : t("settings.device.logOutTextAll")}
        </Typography>
        <TextField
          inputRef={field}
          name="password"
          type="password"
          label={t("settings.device.password")}
          autoComplete="current-password"
          autoFocus
          error={failure !== ""}
          helperText={failure}
        />
        <Button type="submit" variant="contained" color="error" loading={busy}>
          {t("settings.device.logOut")}
        </Button>
      </Box>
    </Sheet>
  );
}
