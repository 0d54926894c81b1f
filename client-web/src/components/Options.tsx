import Box from "@mui/material/Box";
import FormControlLabel from "@mui/material/FormControlLabel";
import Radio from "@mui/material/Radio";
import RadioGroup from "@mui/material/RadioGroup";
import Typography from "@mui/material/Typography";
import { useId } from "react";

interface Props<T extends string> {
  title: string;
  value: T;
  options: readonly { value: T; label: string; text: string }[];
  onChange: (value: T) => void;
  /** Why it cannot be changed; shown instead of a dead choice. */
  locked?: string | null;
}

/** One of a few, each with a sentence that says what it means. */
export function Options<T extends string>({ title, value, options, onChange, locked = null }: Props<T>) {
  const id = useId();
  const chosen = options.find((option) => option.value === value);
  return (
    <Box component="section">
      <Typography variant="h3" component="h3" id={id} sx={{ mb: 0.5 }}>
        {title}
      </Typography>
      {locked !== null ? (
        <Box sx={{ py: 0.5 }}>
          <Typography sx={{ fontWeight: 550 }}>{chosen?.label}</Typography>
          <Typography variant="body2" sx={{ color: "text.secondary" }}>
            {chosen?.text}
          </Typography>
          <Typography variant="body2" sx={{ color: "text.secondary", fontStyle: "italic", mt: 0.5 }}>
            {locked}
          </Typography>
        </Box>
      ) : (
        <RadioGroup
          aria-labelledby={id}
          value={value}
          onChange={(_, next) => {
            const found = options.find((option) => option.value === next);
            if (found) onChange(found.value);
          }}
        >
          {options.map((option) => (
            <FormControlLabel
              key={option.value}
              value={option.value}
              control={
                <Radio
                  size="small"
                  slotProps={{ input: { "aria-describedby": `${id}-${option.value}` } }}
                  sx={{ mt: "1px" }}
                />
              }
              label={
                <Box component="span" sx={{ display: "block", py: 0.5 }}>
                  <Box component="span" sx={{ display: "block", fontSize: "0.875rem", fontWeight: 550 }}>
                    {option.label}
                  </Box>
                  <Box
                    component="span"
                    id={`${id}-${option.value}`}
                    sx={{ display: "block", typography: "body2", color: "text.secondary" }}
                  >
                    {option.text}
                  </Box>
                </Box>
              }
              sx={{ alignItems: "flex-start", marginInline: "-6px 0" }}
            />
          ))}
        </RadioGroup>
      )}
    </Box>
  );
}
