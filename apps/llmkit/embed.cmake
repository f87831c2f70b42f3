# Writes OUTPUT, a C++ file with the text of every file of LIST (lines "kind|name|path").
# cmake -DLIST=… -DOUTPUT=… -P embed.cmake
file(STRINGS ${LIST} entries)
set(code "#include \"embedded.h\"\n\nnamespace llmkit::cli {\nnamespace {\n\nconstexpr EmbeddedFile kFiles[] = {\n")
foreach(entry IN LISTS entries)
  string(REPLACE "|" ";" parts "${entry}")
  list(GET parts 0 kind)
  list(GET parts 1 name)
  list(GET parts 2 path)
  file(READ ${path} text)
  string(APPEND code "    {\"${kind}\", \"${name}\", R\"~~~(${text})~~~\"},\n")
endforeach()
string(APPEND code "    {},\n};\n\n}  // namespace\n
std::vector<EmbeddedFile> embedded_files(std::string_view kind) {
  std::vector<EmbeddedFile> out;
  for (auto& file : kFiles) {
    if (file.kind == kind) out.push_back(file);
  }
  return out;
}

}  // namespace llmkit::cli\n")
file(WRITE ${OUTPUT} "${code}")
