import Box from "@mui/material/Box";
import type { ReactNode, SubmitEvent } from "react";

/** What stands in a field. */
export function read(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === "string" ? value : "";
}

/** Saves a text as a file. */
export function save(text: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** The fields of a dialog below each other. */
export function Form({
  children,
  onSubmit,
}: {
  children: ReactNode;
  onSubmit: (form: HTMLFormElement) => void;
}) {
  return (
    <Box
      component="form"
      noValidate
      onSubmit={(event: SubmitEvent<HTMLFormElement>) => {
        event.preventDefault();
        onSubmit(event.currentTarget);
      }}
      sx={{ display: "flex", flexDirection: "column", gap: 2, pb: 2, pt: 0.5 }}
    >
      {children}
    </Box>
  );
}
