/** The header by which a page inside the WebUI proves that it belongs to it. */
export const TOKEN_HEADER = "X-Train-Lora-Token";
