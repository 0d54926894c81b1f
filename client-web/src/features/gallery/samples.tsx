import Inbox from "@mui/icons-material/InboxOutlined";
import Settings from "@mui/icons-material/SettingsOutlined";
import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Checkbox from "@mui/material/Checkbox";
import Chip from "@mui/material/Chip";
import FormControlLabel from "@mui/material/FormControlLabel";
import Link from "@mui/material/Link";
import ListItemButton from "@mui/material/ListItemButton";
import MenuItem from "@mui/material/MenuItem";
import MenuList from "@mui/material/MenuList";
import Paper from "@mui/material/Paper";
import Radio from "@mui/material/Radio";
import RadioGroup from "@mui/material/RadioGroup";
import Switch from "@mui/material/Switch";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";

import { CountBadge } from "../../components/CountBadge";
import { EmptyState } from "../../components/EmptyState";
import { IconAction } from "../../components/IconAction";
import { Keys } from "../../components/Keys";
import { PersonAvatar } from "../../components/PersonAvatar";
import { type Presence, PresenceDot } from "../../components/PresenceDot";
import { ProductMark } from "../../components/ProductMark";
import { Sheet } from "../../components/Sheet";
import { ListSkeleton, MessageSkeleton } from "../../components/Skeletons";

// Samples are for who builds this: their words stay English.

const row = { display: "flex", flexWrap: "wrap", gap: 1, alignItems: "center", mb: 1.5 } as const;
const PEOPLE = [
  "Ada Okafor",
  "Ben Lindqvist",
  "Chiara Moretti",
  "Dmitri Sokolov",
  "Elif Yılmaz",
  "Fatima",
  "Гриша",
  "山田 太郎",
];
const PRESENCES: Presence[] = ["online", "away", "busy", "offline"];
const SURFACES = [
  "sidebar",
  "sidebarHover",
  "messages",
  "hover",
  "input",
  "raised",
  "selected",
  "mention",
  "code",
];
const TEXTS = ["text.primary", "text.secondary", "accentText", "error.main", "success.main", "warning.main"];

/** What is written on what. */
export function Surfaces() {
  return (
    <Box sx={{ display: "grid", gap: 1 }}>
      {SURFACES.map((surface) => (
        <Box
          key={surface}
          sx={{
            ...row,
            mb: 0,
            px: 1.5,
            py: 1,
            borderRadius: 1,
            border: 1,
            borderColor: "divider",
            bgcolor: `surface.${surface}`,
          }}
        >
          {TEXTS.map((text) => (
            <Typography key={text} component="span" variant="body2" sx={{ color: text }}>
              {surface} {text.split(".")[0]}
            </Typography>
          ))}
        </Box>
      ))}
      <Box
        component="pre"
        sx={{
          m: 0,
          p: 1.5,
          borderRadius: 1,
          bgcolor: "surface.code",
          fontSize: "0.8125rem",
          overflow: "auto",
        }}
        tabIndex={0}
        aria-label="Code"
      >
        {(["keyword", "string", "comment", "number", "name"] as const).map((kind) => (
          <Box component="span" key={kind} sx={{ color: `syntax.${kind}` }}>
            {kind}{" "}
          </Box>
        ))}
      </Box>
    </Box>
  );
}

/** Buttons and links. */
export function Buttons() {
  return (
    <>
      {(["contained", "outlined", "text"] as const).map((variant) => (
        <Box key={variant} sx={row}>
          <Button variant={variant}>Send</Button>
          <Button variant={variant} color="error">
            Delete
          </Button>
          <Button variant={variant} loading>
            Saving
          </Button>
          <Button variant={variant} disabled>
            Not now
          </Button>
        </Box>
      ))}
      <Box sx={row}>
        <IconAction label="Settings" keys="Ctrl+,">
          <Settings fontSize="small" />
        </IconAction>
        <IconAction label="Settings, not now" disabled>
          <Settings fontSize="small" />
        </IconAction>
        <Link href="#gallery-buttons">A link to this place</Link>
        <Keys keys="Ctrl+Shift+K" />
        <ProductMark />
      </Box>
    </>
  );
}

/** What can be filled in. */
export function Fields() {
  return (
    <Box sx={{ display: "grid", gap: 2 }}>
      <TextField label="Name" defaultValue="Ada Okafor" />
      <TextField label="Status" placeholder="In a meeting" helperText="What others see under your name." />
      <TextField
        label="Password"
        error
        defaultValue="1234"
        helperText="This password is too easy to guess."
      />
      <TextField label="Not allowed" disabled defaultValue="Decided by your organisation" />
      <TextField label="One of these" select defaultValue="1" size="small">
        <MenuItem value="1">The first</MenuItem>
        <MenuItem value="2">The second</MenuItem>
      </TextField>
    </Box>
  );
}

/** What can be chosen. */
export function Choices() {
  return (
    <>
      <Box sx={row}>
        <FormControlLabel control={<Switch defaultChecked />} label="On" />
        <FormControlLabel control={<Switch />} label="Off" />
        <FormControlLabel control={<Checkbox defaultChecked />} label="Checked" />
        <FormControlLabel control={<Checkbox />} label="Not checked" />
      </Box>
      <RadioGroup row defaultValue="a" aria-label="Letters" sx={{ mb: 1.5 }}>
        <FormControlLabel value="a" control={<Radio />} label="A" />
        <FormControlLabel value="b" control={<Radio />} label="B" />
      </RadioGroup>
      <Box sx={row}>
        <Chip label="In a meeting" variant="outlined" onClick={() => undefined} />
        <Chip label="Filled" />
      </Box>
    </>
  );
}

/** Pictures, presence. */
export function People() {
  return (
    <>
      <Box sx={row}>
        {PEOPLE.map((name, at) => (
          <PersonAvatar key={name} name={name} id={`@p${String(at)}:example.org`} />
        ))}
        <PersonAvatar name="Lunch" id="!lunch" square />
        <PersonAvatar name="Small" id="!small" size={24} />
      </Box>
      <Box sx={row}>
        {PRESENCES.map((presence) => (
          <Box key={presence} sx={{ display: "inline-flex", alignItems: "center", gap: 0.75 }}>
            <PresenceDot presence={presence} silent /> {presence}
          </Box>
        ))}
      </Box>
    </>
  );
}

/** Counts and notes. */
export function Marks() {
  return (
    <>
      <Box sx={row}>
        <CountBadge count={3} label="3 unread messages" />
        <CountBadge count={12} loud label="12 unread messages" />
        <CountBadge count={340} loud label="340 unread messages" />
      </Box>
      {(["error", "warning", "success", "info"] as const).map((severity) => (
        <Alert key={severity} severity={severity} variant="outlined" sx={{ mb: 1 }}>
          What happened, and what to do about it.
        </Alert>
      ))}
    </>
  );
}

/** Rows and menus. */
export function Lists() {
  const rows: [string, { selected?: boolean; bold?: boolean }][] = [
    ["general", {}],
    ["help desk", { selected: true }],
    ["announcements", { bold: true }],
  ];
  return (
    <Box sx={{ display: "grid", gap: 2, gridTemplateColumns: "1fr 1fr" }}>
      <Box sx={{ bgcolor: "surface.sidebar", p: 1, borderRadius: 1 }}>
        {rows.map(([name, { selected = false, bold = false }]) => (
          <ListItemButton
            key={name}
            selected={selected}
            sx={{ fontWeight: bold ? 650 : 400, minHeight: 34, py: 0 }}
          >
            # {name}
          </ListItemButton>
        ))}
      </Box>
      <Paper elevation={8} sx={{ borderRadius: 1.25 }}>
        <MenuList aria-label="Menu">
          <MenuItem>Reply</MenuItem>
          <MenuItem selected>Copy link</MenuItem>
          <MenuItem sx={{ color: "error.main" }}>Delete</MenuItem>
        </MenuList>
      </Paper>
    </Box>
  );
}

function Framed({ children }: { children: ReactNode }) {
  return (
    <Box
      sx={{
        height: 230,
        display: "flex",
        flexDirection: "column",
        overflow: "hidden",
        border: 1,
        borderColor: "divider",
        borderRadius: 1,
        mb: 1.5,
      }}
    >
      {children}
    </Box>
  );
}

/** What is drawn when there is nothing to draw. */
export function States() {
  return (
    <>
      <Framed>
        <EmptyState
          icon={<Inbox />}
          title="Nothing here yet"
          text="Say what this place is for, and offer the next step."
          actions={<Button variant="contained">Begin</Button>}
        />
      </Framed>
      <Framed>
        <ListSkeleton rows={6} />
      </Framed>
      <Framed>
        <MessageSkeleton rows={3} />
      </Framed>
    </>
  );
}

/** A dialog. */
export function Dialogs() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const close = () => {
    setOpen(false);
  };
  return (
    <>
      <Button
        variant="outlined"
        onClick={() => {
          setOpen(true);
        }}
      >
        {t("gallery.open")}
      </Button>
      {open && (
        <Sheet
          title="Leave the channel?"
          onClose={close}
          width="xs"
          actions={
            <>
              <Button onClick={close}>{t("common.cancel")}</Button>
              <Button variant="contained" onClick={close}>
                Leave
              </Button>
            </>
          }
        >
          <Typography>You can come back at any time; the channel is open to everybody.</Typography>
        </Sheet>
      )}
    </>
  );
}
