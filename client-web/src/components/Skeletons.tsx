import Box from "@mui/material/Box";
import Skeleton from "@mui/material/Skeleton";

const WIDTHS = [62, 84, 48, 73, 91, 56, 68, 80];

/** Rows of a list that is not there yet, of the size they will have. */
export function ListSkeleton({ rows = 8, height = 34 }: { rows?: number; height?: number }) {
  return (
    <Box aria-hidden sx={{ p: 1 }}>
      {Array.from({ length: rows }, (_, at) => (
        <Box key={at} sx={{ height, display: "flex", alignItems: "center", gap: 1.5, px: 1 }}>
          <Skeleton animation={false} variant="circular" width={20} height={20} />
          <Skeleton animation={false} width={`${String(WIDTHS[at % WIDTHS.length])}%`} />
        </Box>
      ))}
    </Box>
  );
}

/** Messages that are not there yet. */
export function MessageSkeleton({ rows = 6 }: { rows?: number }) {
  return (
    <Box
      aria-hidden
      sx={{
        p: 2,
        display: "flex",
        flexDirection: "column",
        gap: 2.5,
        justifyContent: "flex-end",
        flex: 1,
        minHeight: 0,
        overflow: "hidden",
      }}
    >
      {Array.from({ length: rows }, (_, at) => (
        <Box key={at} sx={{ display: "flex", gap: 1.5 }}>
          <Skeleton animation={false} variant="circular" width={36} height={36} sx={{ flex: "none" }} />
          <Box sx={{ flex: 1 }}>
            <Skeleton animation={false} width={120} />
            <Skeleton animation={false} width={`${String(WIDTHS[at % WIDTHS.length])}%`} />
          </Box>
        </Box>
      ))}
    </Box>
  );
}
