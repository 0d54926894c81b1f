import DeleteIcon from "@mui/icons-material/DeleteOutlined";
import StarIcon from "@mui/icons-material/StarBorderOutlined";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import InputAdornment from "@mui/material/InputAdornment";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";

import { IconAction } from "../../components/IconAction";
import { useClient } from "../../matrix/MatrixProvider";
import { addAddress, removeAddress, setMainAddress, type ChannelSettings } from "../../matrix/settings";
import type { Changing } from "./RoomSettings";

/** The addresses a channel is found by. */
export function AddressSettings({
  roomId,
  settings,
  locked,
  change,
}: Changing & { settings: ChannelSettings }) {
  const { t } = useTranslation();
  const client = useClient();
  const [local, setLocal] = useState("");
  const [busy, setBusy] = useState(false);
  const no = locked("address");
  const add = async (event: SubmitEvent) => {
    event.preventDefault();
    if (local === "") return;
    setBusy(true);
    if (await change(addAddress(client, roomId, local))) setLocal("");
    setBusy(false);
  };
  return (
    <Box sx={{ maxWidth: 560 }}>
      {settings.addresses.length === 0 ? (
        <Typography sx={{ color: "text.secondary", mb: 2 }}>{t("channels.noAddress")}</Typography>
      ) : (
        <Box
          component="ul"
          aria-label={t("channels.addresses")}
          sx={{ listStyle: "none", m: 0, mb: 2, p: 0 }}
        >
          {settings.addresses.map((address) => (
            <Box
              component="li"
              key={address}
              sx={{
                display: "flex",
                alignItems: "center",
                gap: 0.5,
                minHeight: 48,
                borderBottom: 1,
                borderColor: "divider",
              }}
            >
              <Box sx={{ flex: 1, minWidth: 0 }}>
                <Typography sx={{ overflowWrap: "anywhere", fontWeight: 550 }}>{address}</Typography>
                {address === settings.address && (
                  <Typography variant="caption" component="div" sx={{ color: "text.secondary" }}>
                    {t("channels.main")}
                  </Typography>
                )}
              </Box>
              {no === null && address !== settings.address && (
                <IconAction
                  label={t("channels.makeMain")}
                  onClick={() => void change(setMainAddress(client, roomId, address))}
                >
                  <StarIcon fontSize="small" />
                </IconAction>
              )}
              {no === null && (
                <IconAction
                  label={t("channels.removeAddress", { address })}
                  onClick={() => void change(removeAddress(client, roomId, address))}
                >
                  <DeleteIcon fontSize="small" />
                </IconAction>
              )}
            </Box>
          ))}
        </Box>
      )}
      {no !== null ? (
        <Typography variant="body2" sx={{ color: "text.secondary", fontStyle: "italic" }}>
          {no}
        </Typography>
      ) : (
        <Box component="form" onSubmit={(event) => void add(event)} sx={{ display: "flex", gap: 1 }}>
          <TextField
            fullWidth
            size="small"
            label={t("channels.newAddress")}
            value={local}
            onChange={(event) => setLocal(event.target.value.replace(/[\s:#]/g, ""))}
            slotProps={{
              htmlInput: { maxLength: 60, spellCheck: false, autoCapitalize: "none" },
              input: {
                startAdornment: <InputAdornment position="start">#</InputAdornment>,
                endAdornment: <InputAdornment position="end">:{client.getDomain()}</InputAdornment>,
              },
            }}
          />
          <Button type="submit" variant="outlined" disabled={local === ""} loading={busy}>
            {t("channels.addAddress")}
          </Button>
        </Box>
      )}
    </Box>
  );
}
