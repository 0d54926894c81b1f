import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";
import { useId } from "react";
import { useTranslation } from "react-i18next";

import { TrustActions, TrustLine, usePersonTrust } from "../../shared/Trust";

/** Whether somebody is who they say, and the way to be sure of it. */
export function Sureness({ userId, name }: { userId: string; name: string }) {
  const { t } = useTranslation();
  const headingId = useId();
  const [trust, look] = usePersonTrust(userId);
  if (trust === null) return null;
  return (
    <Box component="section" aria-labelledby={headingId}>
      <Typography variant="overline" component="h4" id={headingId} sx={{ color: "text.secondary", mb: 0.75 }}>
        {t("security.title")}
      </Typography>
      <Box sx={{ display: "flex", alignItems: "center", flexWrap: "wrap", gap: 1 }}>
        <Box sx={{ flex: 1, minWidth: 140 }}>
          <TrustLine trust={trust} />
        </Box>
        <Box sx={{ display: "flex", gap: 1 }}>
          <TrustActions userId={userId} name={name} trust={trust} onAccepted={look} />
        </Box>
      </Box>
    </Box>
  );
}
