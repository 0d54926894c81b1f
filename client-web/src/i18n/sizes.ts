// Sizes of files as people read them.

/** "1.2 MB". */
export function sizeText(bytes: number, language: string): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: units[unit]!,
    // The short form of a byte knows no plural: "900 byte".
    unitDisplay: unit === 0 ? "long" : "short",
    maximumFractionDigits: unit > 1 ? 1 : 0,
  }).format(value);
}
