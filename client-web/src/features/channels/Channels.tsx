import AddIcon from "@mui/icons-material/Add";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { useTranslation } from "react-i18next";

import { Sheet } from "../../components/Sheet";
import { usePermission } from "../../matrix/permissions";
import { BrowseChannels } from "./BrowseChannels";
import { CreateChannel } from "./CreateChannel";

interface Props {
  /** `new`, or the list. */
  page: string;
  onPage: (page: string) => void;
  onClose: () => void;
  onOpen: (roomId: string) => void;
}

/** The channels there are, and making one. */
export function Channels({ page, onPage, onClose, onOpen }: Props) {
  const { t } = useTranslation();
  const mayCreate = usePermission("chat.create_channels");
  if (page === "new" && mayCreate)
    return <CreateChannel onClose={onClose} onBack={() => onPage("")} onMade={onOpen} />;
  return (
    <Sheet
      title={t("channels.browse")}
      onClose={onClose}
      width="sm"
      actions={
        <>
          <Box sx={{ flex: 1, px: 1, color: "text.secondary", fontSize: "0.8125rem" }}>
            {mayCreate ? "" : t("channels.mayNotCreate")}
          </Box>
          {mayCreate && (
            <Button variant="outlined" startIcon={<AddIcon />} onClick={() => onPage("new")}>
              {t("channels.create")}
            </Button>
          )}
        </>
      }
    >
      <BrowseChannels onOpen={onOpen} />
    </Sheet>
  );
}
