import TextField, { type TextFieldProps } from "@mui/material/TextField";

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
