import { z } from "zod";

// zod compiles its parsers with `new Function` where it may; the page's content policy forbids that, and trying is logged as a violation.
z.config({ jitless: true });
