// Node's test runner, with everybody's clients closed after each test.

import { afterEach, test } from "node:test";
import { everybodyGoesHome } from "./person.mjs";

afterEach(everybodyGoesHome);

export { test };
