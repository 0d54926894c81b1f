import Visibility from "@mui/icons-material/VisibilityOutlined";
import VisibilityOff from "@mui/icons-material/VisibilityOffOutlined";
import InputAdornment from "@mui/material/InputAdornment";
import TextField, { type TextFieldProps } from "@mui/material/TextField";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { IconAction } from "../../components/IconAction";

/** A field of the form. */
export function Field(props: TextFieldProps & { autoCapitalize?: string }) {
  const { autoCapitalize, ...rest } = props;
  return (
    <TextField
      fullWidth
      required={false}
      slotProps={{ htmlInput: { autoCapitalize, spellCheck: false } }}
      {...rest}
    />
  );
}

/** A password, hidden until one wants to see it. */
export function PasswordField(props: TextFieldProps) {
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
                label={t(shown ? "login.hide" : "login.show")}
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
