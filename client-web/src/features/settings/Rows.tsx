import Box from "@mui/material/Box";
import FormControlLabel from "@mui/material/FormControlLabel";
import Radio from "@mui/material/Radio";
import RadioGroup from "@mui/material/RadioGroup";
import Switch from "@mui/material/Switch";
import Typography from "@mui/material/Typography";
import { type ReactNode, useId } from "react";

/** A part of a page of settings, with its heading. */
export function Part({ title, children, id }: { title: string; children: ReactNode; id?: string }) {
  return (
    <Box component="section" sx={{ mb: 3.5 }}>
      <Typography variant="h3" component="h3" id={id} sx={{ mb: 1 }}>
        {title}
      </Typography>
      {children}
    </Box>
  );
}

interface SwitchRowProps {
  title: string;
  text: string;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}

/** Something that is on or off. */
export function SwitchRow({ title, text, checked, disabled = false, onChange }: SwitchRowProps) {
  const id = useId();
  return (
    <Box
      sx={{
        display: "flex",
        gap: 2,
        alignItems: "center",
        py: 1.25,
        borderBottom: 1,
        borderColor: "divider",
        minHeight: 44,
      }}
    >
      <Box sx={{ flex: 1 }}>
        <Typography
          component="label"
          htmlFor={id}
          sx={{ display: "block", fontWeight: 550, cursor: "pointer" }}
        >
          {title}
        </Typography>
        <Typography variant="body2" id={`${id}-text`} sx={{ color: "text.secondary" }}>
          {text}
        </Typography>
      </Box>
      <Switch
        checked={checked}
        disabled={disabled}
        onChange={(_, now) => {
          onChange(now);
        }}
        slotProps={{ input: { id, role: "switch", "aria-describedby": `${id}-text` } }}
      />
    </Box>
  );
}

interface ChoiceProps<T extends string | number> {
  title: string;
  value: T;
  choices: readonly { value: T; label: string }[];
  onChange: (value: T) => void;
  row?: boolean;
}

/** One of a few. */
export function Choice<T extends string | number>({
  title,
  value,
  choices,
  onChange,
  row = true,
}: ChoiceProps<T>) {
  const id = useId();
  return (
    <Part title={title} id={id}>
      <RadioGroup
        aria-labelledby={id}
        row={row}
        value={String(value)}
        onChange={(_, text) => {
          const chosen = choices.find((choice) => String(choice.value) === text);
          if (chosen) onChange(chosen.value);
        }}
        sx={{ gap: row ? 1 : 0 }}
      >
        {choices.map((choice) => (
          <FormControlLabel
            key={choice.value}
            value={String(choice.value)}
            control={<Radio size="small" />}
            label={choice.label}
            slotProps={{ typography: { sx: { fontSize: "0.875rem" } } }}
          />
        ))}
      </RadioGroup>
    </Part>
  );
}
