import { lazy, type ComponentType, type LazyExoticComponent } from "react";

import { twice } from "../components/twice";
import { moreTexts } from ".";

/** A part of the page that is loaded when it is first shown, with the texts it needs. */
export function later<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): LazyExoticComponent<ComponentType<Props>> {
  return lazy(async () => {
    const [part] = await Promise.all([twice(load), twice(moreTexts)]);
    return { default: part };
  });
}
