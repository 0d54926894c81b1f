// What must be so before the SDK is loaded; `node --import` loads this first.

import { logger } from "matrix-js-sdk/lib/logger.js";

// The newest SDK asks for Node 22; this is all that Node 20 lacks of what it uses.
Promise.withResolvers ??= function withResolvers() {
    let resolve, reject;
    const promise = new this((...both) => ([resolve, reject] = both));
    return { promise, resolve, reject };
};

// Much of the SDK logs past the logger of its client, to this one and its children.
logger.methodFactory = () => () => {};
logger.setLevel("silent", false);
logger.log = () => {};
