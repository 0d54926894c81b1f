const FOCUSABLE =
  "a[href], button:not([disabled]), input:not([disabled]), textarea, [contenteditable='true'], [tabindex='0']";

/** Moves the focus to the next area of the page (F6) or the one before. */
export function moveRegion(step: 1 | -1): void {
  const regions = [...document.querySelectorAll<HTMLElement>("[data-region]")].filter(isShown);
  if (regions.length === 0) return;
  const here = regions.findIndex((region) => region.contains(document.activeElement));
  const next =
    here < 0 ? (step === 1 ? 0 : regions.length - 1) : (here + step + regions.length) % regions.length;
  const region = regions[next];
  if (region) enter(region);
}

/** Moves the focus into an area by name. */
export function goToRegion(name: string): void {
  const region = document.querySelector<HTMLElement>(`[data-region="${name}"]`);
  if (region) enter(region);
}

function enter(region: HTMLElement): void {
  const inside = [...region.querySelectorAll<HTMLElement>(FOCUSABLE)].find(
    (element) => element.tabIndex >= 0 && isShown(element),
  );
  (inside ?? region).focus();
}

function isShown(element: HTMLElement): boolean {
  return element.offsetParent !== null || getComputedStyle(element).position === "fixed";
}
