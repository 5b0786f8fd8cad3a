/** Types whose files are compressed by their own format. */
const compressed = [
  /^image\/(?!svg|bmp|x-ms-bmp|tiff|x-icon|vnd\.microsoft\.icon|x-portable)/,
  /^(audio|video)\/(?!wav|x-wav|midi|x-aiff)/,
  /^font\/woff/,
  /^application\/(zip|gzip|x-gzip|zstd|x-7z-compressed|x-rar|vnd\.rar|x-bzip2|x-xz|java-archive|pdf|epub\+zip)/,
  /^application\/vnd\.(openxmlformats|oasis\.opendocument)/,
];
const extensions =
  /\.(jpe?g|png|gif|webp|avif|heic|mp[34]|m4[av]|mov|mkv|webm|og[gv]|opus|flac|aac|woff2?|zip|gz|tgz|zst|br|7z|rar|bz2|xz|jar|pdf|docx|xlsx|pptx|odt|ods|epub)$/i;

/** Whether compressing a file is likely to make it smaller, by its type, its encoding or its name. */
export function shrinks({
  key,
  contentType,
  contentEncoding,
}: {
  key: string;
  contentType?: string | undefined;
  contentEncoding?: string | undefined;
}): boolean {
  if (contentEncoding !== undefined && /\b(gzip|br|zstd|deflate|compress)\b/i.test(contentEncoding))
    return false;
  const type = contentType?.toLowerCase() ?? '';
  return !compressed.some((pattern) => pattern.test(type)) && !extensions.test(key);
}
