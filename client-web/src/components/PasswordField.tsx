import Visibility from "@mui/icons-material/VisibilityOutlined";
import VisibilityOff from "@mui/icons-material/VisibilityOffOutlined";
import InputAdornment from "@mui/material/InputAdornment";
import TextField, { type TextFieldProps } from "@mui/material/TextField";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { IconAction } from "./IconAction";

/** A password or passphrase, hidden until one wants to see it. */
export function PasswordField({
  of = "password",
  ...props
}: TextFieldProps & { of?: "password" | "passphrase" }) {
  const { t } = useTranslation();
  const [shown, setShown] = useState(false);
  return (
    <TextField
      fullWidth
      type={shown ? "text" : "password"}
      slotProps={{
        input: {
          endAdornment: (
            <InputAdornment position="end">
              <IconAction
                label={t(
                  of === "password"
                    ? shown
                      ? "login.hide"
                      : "login.show"
                    : shown
                      ? "security.hide"
                      : "security.show",
                )}
                aria-pressed={shown}
                edge="end"
                onClick={() => {
                  setShown(!shown);
                }}
              >
                {shown ? <VisibilityOff fontSize="small" /> : <Visibility fontSize="small" />}
              </IconAction>
            </InputAdornment>
          ),
        },
      }}
      {...props}
    />
  );
}
