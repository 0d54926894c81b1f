import type { TFunction } from "i18next";

import { alert } from "../components/Announcer";
import type { useClient } from "../matrix/MatrixProvider";
import { download } from "../matrix/media";
import { failureOf } from "./failure";

/** Puts a file onto this person's disk, or says why that did not work. */
export async function saveFile(
  client: ReturnType<typeof useClient>,
  file: { readonly url: string; readonly name: string },
  t: TFunction,
): Promise<void> {
  try {
    await download(client, file.url, file.name);
  } catch (error) {
    alert(failureOf(error, t));
  }
}
