import type { Components, Theme } from "@mui/material/styles";

import { mix } from "./colour";
import type { Roles } from "./roles";

/** Under a finger. */
const touched = "@media (pointer: coarse)";

interface Extras {
  glow: string | undefined;
  highContrast: boolean;
}

/** On paper the open conversation alone, as far as it is loaded around what was in view, in black on white. */
const printed = {
  "html, body, #root, #root div:has([role='log']), main, [role='log'], [role='log'] > div": {
    display: "block !important",
    height: "auto !important",
    minHeight: "0 !important",
    overflow: "visible !important",
  },
  "*": { color: "#000 !important", backgroundColor: "transparent !important" },
  html: { colorScheme: "light !important" },
  "header:not(main header), main header button:not(h1 button), nav, aside, [data-region='composer'], [data-notice], main button:has(svg), [role='log'] > div > [aria-hidden]":
    { display: "none !important" },
  "[role='article']": { breakInside: "avoid" },
} as const;

/** How Material UI's components look here: flat, calm, with borders instead of shadows, no ripples. */
export function componentsFor(roles: Roles, { glow, highContrast }: Extras): Components<Theme> {
  const { surface, text, fill, border } = roles;
  const ring = {
    outline: `${highContrast ? 3 : 2}px solid ${roles.focus}`,
    outlineOffset: highContrast ? 1 : 2,
    ...(glow ? { boxShadow: glow } : {}),
  };
  const floating = {
    backgroundImage: "none",
    border: `1px solid ${highContrast ? border.control : mix(text.primary, surface.raised, 0.14)}`,
    boxShadow: roles.dark
      ? "0 12px 40px rgba(0, 0, 0, 0.5), 0 2px 6px rgba(0, 0, 0, 0.3)"
      : "0 12px 40px rgba(22, 28, 45, 0.16), 0 2px 6px rgba(22, 28, 45, 0.07)",
  };
  return {
    MuiCssBaseline: {
      styleOverrides: {
        "html, body, #root": { height: "100%" },
        html: { WebkitTextSizeAdjust: "100%", scrollbarColor: `${border.control} transparent` },
        body: { overflow: "hidden", overflowWrap: "anywhere" },
        ":focus-visible": ring,
        // Also where a part draws a ring of its own.
        ...(highContrast && { "*:focus-visible": { outlineWidth: "3px !important" } }),
        ":focus:not(:focus-visible)": { outline: "none" },
        "::selection": { backgroundColor: surface.selection, color: text.primary },
        // Signs that point somewhere point the other way.
        "[dir='rtl'] .pointing": { scale: "-1 1" },
        // A name in other letters stands where names stand. (These styles are mirrored: this is the right side.)
        "[dir='rtl'] [data-region='rooms'] [dir='auto']": { textAlign: "left" },
        "[data-motion='reduced'] *, [data-motion='reduced'] *::before, [data-motion='reduced'] *::after":
          still,
        "@media (prefers-reduced-motion: reduce)": { "*, *::before, *::after": still },
        // The system's colours: what is told by a background needs a line there.
        "@media (forced-colors: active)": {
          ":focus-visible": { outlineColor: "Highlight" },
          ".MuiButton-contained": { border: "1px solid ButtonBorder !important" },
          "[aria-current='page'], [aria-selected='true'], .Mui-selected": {
            outline: "2px solid Highlight !important",
            outlineOffset: "-2px !important",
          },
        },
        "@media print": printed,
      },
    },
    MuiButtonBase: {
      defaultProps: { disableRipple: true },
      styleOverrides: { root: { fontFamily: "inherit", "&.Mui-focusVisible": ring } },
    },
    MuiButton: {
      defaultProps: { disableElevation: true },
      styleOverrides: {
        root: {
          borderRadius: 8,
          minHeight: 36,
          paddingInline: 14,
          // A word is broken where it does not fit, not to make room for what stands beside the button.
          overflowWrap: "break-word",
          [touched]: { minHeight: 44, minWidth: 44 },
          variants: [
            {
              props: { variant: "text", color: "primary" },
              style: { color: text.accent, "&:hover": { backgroundColor: surface.hover } },
            },
            {
              props: { variant: "outlined", color: "primary" },
              style: {
                color: text.primary,
                borderColor: border.control,
                "&:hover": { backgroundColor: surface.hover, borderColor: border.control },
              },
            },
            {
              props: { variant: "outlined", color: "error" },
              style: { borderColor: border.control, "&:hover": { borderColor: text.danger } },
            },
            {
              props: { variant: "contained", color: "error" },
              style: {
                backgroundColor: fill.danger,
                color: fill.onDanger,
                "&:hover": { backgroundColor: fill.danger },
              },
            },
            {
              props: { variant: "contained", color: "primary" },
              style: {
                "&:hover": { backgroundColor: fill.accent, filter: "brightness(1.06)" },
                "&.Mui-disabled": { backgroundColor: surface.code },
                "&.Mui-disabled:not(.MuiButton-loading)": { color: text.secondary },
              },
            },
          ],
        },
      },
    },
    MuiIconButton: {
      styleOverrides: {
        root: {
          borderRadius: 8,
          color: text.secondary,
          [touched]: { minHeight: 44, minWidth: 44 },
          "&:hover": { backgroundColor: surface.hover, color: text.primary },
        },
      },
    },
    MuiListItemButton: {
      styleOverrides: {
        root: {
          borderRadius: 8,
          [touched]: { minHeight: 44 },
          "&:hover": { backgroundColor: surface.hover },
          "&.Mui-selected, &.Mui-selected:hover": { backgroundColor: surface.selected },
          "&.Mui-focusVisible": { outlineOffset: -2, backgroundColor: surface.hover },
        },
      },
    },
    MuiMenuItem: {
      styleOverrides: {
        root: {
          borderRadius: 6,
          marginInline: 6,
          minHeight: 34,
          // On a narrow screen a menu is no wider than that.
          whiteSpace: "normal",
          fontSize: "0.875rem",
          [touched]: { minHeight: 44, fontSize: "0.9375rem" },
          "&:hover": { backgroundColor: surface.hover },
          "&.Mui-selected, &.Mui-selected:hover": { backgroundColor: surface.selected },
          "&.Mui-focusVisible": { outlineOffset: -2, backgroundColor: surface.hover },
        },
      },
    },
    MuiPaper: { styleOverrides: { root: { backgroundImage: "none" }, elevation8: floating } },
    // As wide as its words, as long as the screen is: not as what is left beside where it opens.
    MuiMenu: { styleOverrides: { paper: { ...floating, borderRadius: 10, width: "max-content" } } },
    MuiPopover: { styleOverrides: { paper: { ...floating, borderRadius: 10 } } },
    MuiDialog: {
      styleOverrides: {
        paper: {
          ...floating,
          borderRadius: 14,
          // At the edges of the screen nothing shows behind a corner.
          "&.MuiDialog-paperFullScreen": { borderRadius: 0, border: 0 },
        },
      },
    },
    MuiBackdrop: {
      styleOverrides: {
        root: {
          variants: [{ props: { invisible: false }, style: { backgroundColor: "rgba(8, 12, 20, 0.5)" } }],
        },
      },
    },
    MuiDialogTitle: {
      styleOverrides: { root: { fontSize: "1.0625rem", fontWeight: 650, paddingBlock: 16 } },
    },
    MuiDialogActions: {
      styleOverrides: {
        root: {
          padding: "12px 20px 16px",
          gap: 4,
          // What is said beside the buttons stands above them where there is no room.
          "@media (max-width: 599.95px)": {
            paddingInline: 16,
            flexWrap: "wrap",
            rowGap: 8,
            "& > :not(button)": { flex: "1 0 100%" },
            "& > :empty": { display: "none" },
          },
        },
      },
    },
    MuiOutlinedInput: {
      styleOverrides: {
        root: {
          backgroundColor: surface.input,
          borderRadius: 8,
          [touched]: { minHeight: 44 },
          "& .MuiOutlinedInput-notchedOutline": { borderColor: border.control },
          "&:hover .MuiOutlinedInput-notchedOutline": { borderColor: text.secondary },
          "&.Mui-focused .MuiOutlinedInput-notchedOutline": {
            borderColor: roles.focus,
            borderWidth: highContrast ? 3 : 2,
          },
        },
        input: {
          "&::placeholder": { color: text.secondary, opacity: 1 },
          // The field around it shows the focus.
          "&:focus-visible": { outline: "none", boxShadow: "none" },
        },
      },
    },
    MuiInputBase: {
      styleOverrides: {
        input: {
          "&::placeholder": { color: text.secondary, opacity: 1 },
          "&:focus-visible": { outline: "none", boxShadow: "none" },
        },
      },
    },
    MuiChip: {
      styleOverrides: {
        root: { [touched]: { "&.MuiChip-clickable": { minHeight: 44, borderRadius: 22, paddingInline: 4 } } },
      },
    },
    MuiInputLabel: {
      styleOverrides: { root: { color: text.secondary, "&.Mui-focused": { color: text.accent } } },
    },
    MuiFormLabel: {
      styleOverrides: { root: { color: text.secondary, "&.Mui-focused": { color: text.accent } } },
    },
    MuiFormHelperText: { styleOverrides: { root: { color: text.secondary } } },
    MuiRadio: {
      styleOverrides: {
        root: {
          color: border.control,
          "&.Mui-checked": { color: text.accent },
          padding: 6,
          [touched]: { padding: 12 },
        },
      },
    },
    MuiCheckbox: {
      styleOverrides: {
        root: {
          color: border.control,
          "&.Mui-checked": { color: text.accent },
          padding: 6,
          [touched]: { padding: 12 },
        },
      },
    },
    MuiSwitch: {
      styleOverrides: {
        root: {
          width: 40,
          height: 24,
          padding: 0,
          margin: 4,
          overflow: "visible",
          // The input lies over the switch and is what is touched.
          [touched]: { "& .MuiSwitch-input": { top: -10, height: 44 } },
        },
        switchBase: {
          padding: 4,
          // It moves with the thumb; what is pressed stays, a little wider than the switch and not wider than what scrolls it.
          "& .MuiSwitch-input": { left: -8, width: 56 },
          "&.Mui-checked": {
            transform: "translateX(16px)",
            "& .MuiSwitch-input": { left: -24 },
            "& .MuiSwitch-thumb": { backgroundColor: fill.onAccent },
            "& + .MuiSwitch-track": { backgroundColor: fill.accent, borderColor: fill.accent, opacity: 1 },
          },
          "&.Mui-focusVisible + .MuiSwitch-track": { outline: ring.outline, outlineOffset: 2 },
          "&.Mui-disabled + .MuiSwitch-track": { opacity: 0.6 },
        },
        thumb: { width: 16, height: 16, boxShadow: "none", backgroundColor: border.control },
        track: {
          borderRadius: 12,
          opacity: 1,
          boxSizing: "border-box",
          backgroundColor: surface.input,
          border: `1px solid ${border.control}`,
        },
      },
    },
    MuiToggleButton: {
      styleOverrides: {
        root: {
          textTransform: "none",
          color: text.secondary,
          borderColor: border.control,
          [touched]: { minHeight: 44, minWidth: 44 },
          "&.Mui-selected, &.Mui-selected:hover": {
            color: text.primary,
            backgroundColor: surface.selected,
          },
          "&:hover": { backgroundColor: surface.hover },
        },
      },
    },
    MuiTab: {
      styleOverrides: {
        root: {
          minHeight: 36,
          textTransform: "none",
          color: text.secondary,
          [touched]: { minHeight: "44px !important" },
          "& .MuiTab-icon": { marginInline: 0 },
          "&.Mui-selected": { color: text.primary },
        },
      },
    },
    MuiAlert: {
      styleOverrides: {
        root: {
          borderRadius: 8,
          backgroundColor: surface.code,
          color: text.primary,
          border: `1px solid ${border.subtle}`,
        },
      },
    },
    MuiLink: { styleOverrides: { root: { color: text.accent, textUnderlineOffset: "0.15em" } } },
  };
}

/** Nothing moves; what waits for the end of a movement still learns of it. */
const still = {
  animationDuration: "0.01ms !important",
  animationIterationCount: "1 !important",
  transitionDuration: "0.01ms !important",
  scrollBehavior: "auto !important",
};
