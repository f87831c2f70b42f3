// SVG and MathML inside HTML (HTML standard, 13.2.6.5): which elements break out, and the names that are not lower
// case.
#include <algorithm>

#include "text/html_tree_builder.h"

namespace llmkit::text {
namespace {

constexpr TagSet kBreakout = {
    Tag::b,      Tag::big,  Tag::blockquote, Tag::body,  Tag::br,   Tag::center, Tag::code,    Tag::dd,   Tag::div,
    Tag::dl,     Tag::dt,   Tag::em,         Tag::embed, Tag::h1,   Tag::h2,     Tag::h3,      Tag::h4,   Tag::h5,
    Tag::h6,     Tag::head, Tag::hr,         Tag::i,     Tag::img,  Tag::li,     Tag::listing, Tag::menu, Tag::meta,
    Tag::nobr,   Tag::ol,   Tag::p,          Tag::pre,   Tag::ruby, Tag::s,      Tag::small,   Tag::span, Tag::strong,
    Tag::strike, Tag::sub,  Tag::sup,        Tag::table, Tag::tt,   Tag::u,      Tag::ul,      Tag::var};

constexpr std::string_view kSvgTags[] = {"altGlyph",
                                         "altGlyphDef",
                                         "altGlyphItem",
                                         "animateColor",
                                         "animateMotion",
                                         "animateTransform",
                                         "clipPath",
                                         "feBlend",
                                         "feColorMatrix",
                                         "feComponentTransfer",
                                         "feComposite",
                                         "feConvolveMatrix",
                                         "feDiffuseLighting",
                                         "feDisplacementMap",
                                         "feDistantLight",
                                         "feDropShadow",
                                         "feFlood",
                                         "feFuncA",
                                         "feFuncB",
                                         "feFuncG",
                                         "feFuncR",
                                         "feGaussianBlur",
                                         "feImage",
                                         "feMerge",
                                         "feMergeNode",
                                         "feMorphology",
                                         "feOffset",
                                         "fePointLight",
                                         "feSpecularLighting",
                                         "feSpotLight",
                                         "feTile",
                                         "feTurbulence",
                                         "foreignObject",
                                         "glyphRef",
                                         "linearGradient",
                                         "radialGradient",
                                         "textPath"};

constexpr std::string_view kSvgAttributes[] = {"attributeName",
                                               "attributeType",
                                               "baseFrequency",
                                               "baseProfile",
                                               "calcMode",
                                               "clipPathUnits",
                                               "diffuseConstant",
                                               "edgeMode",
                                               "filterUnits",
                                               "glyphRef",
                                               "gradientTransform",
                                               "gradientUnits",
                                               "kernelMatrix",
                                               "kernelUnitLength",
                                               "keyPoints",
                                               "keySplines",
                                               "keyTimes",
                                               "lengthAdjust",
                                               "limitingConeAngle",
                                               "markerHeight",
                                               "markerUnits",
                                               "markerWidth",
                                               "maskContentUnits",
                                               "maskUnits",
                                               "numOctaves",
                                               "pathLength",
                                               "patternContentUnits",
                                               "patternTransform",
                                               "patternUnits",
                                               "pointsAtX",
                                               "pointsAtY",
                                               "pointsAtZ",
                                               "preserveAlpha",
                                               "preserveAspectRatio",
                                               "primitiveUnits",
                                               "refX",
                                               "refY",
                                               "repeatCount",
                                               "repeatDur",
                                               "requiredExtensions",
                                               "requiredFeatures",
                                               "specularConstant",
                                               "specularExponent",
                                               "spreadMethod",
                                               "startOffset",
                                               "stdDeviation",
                                               "stitchTiles",
                                               "surfaceScale",
                                               "systemLanguage",
                                               "tableValues",
                                               "targetX",
                                               "targetY",
                                               "textLength",
                                               "viewBox",
                                               "viewTarget",
                                               "xChannelSelector",
                                               "yChannelSelector",
                                               "zoomAndPan"};

constexpr std::string_view kPrefixed[] = {"xlink:actuate", "xlink:arcrole", "xlink:href", "xlink:role", "xlink:show",
                                          "xlink:title",   "xlink:type",    "xml:lang",   "xml:space",  "xmlns:xlink"};

bool equal_nocase(std::string_view mixed, std::string_view lower) {
  return mixed.size() == lower.size() && std::equal(mixed.begin(), mixed.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b;
         });
}

template <size_t N>
std::string_view restore_case(const std::string_view (&names)[N], std::string_view lower) {
  for (std::string_view name : names)
    if (equal_nocase(name, lower)) return name;
  return lower;
}

}  // namespace

bool is_mathml_text_point(const Node* node) {
  constexpr TagSet kText = {Tag::mi, Tag::mo, Tag::mn, Tag::ms, Tag::mtext};
  return node->space == Namespace::mathml && kText.has(node->tag);
}

bool is_html_integration_point(const Node* node) {
  if (node->space == Namespace::svg)
    return node->tag == Tag::foreignobject || node->tag == Tag::desc || node->tag == Tag::title;
  if (node->space != Namespace::mathml || node->tag != Tag::annotation_xml) return false;
  std::string_view encoding = node->attribute("encoding");
  return equal_nocase(encoding, "text/html") || equal_nocase(encoding, "application/xhtml+xml");
}

std::string_view svg_tag_name(std::string_view lower) {
  return restore_case(kSvgTags, lower);
}

void adjust_foreign_attributes(Attribute* attributes, Namespace space) {
  for (Attribute* a = attributes; a != nullptr; a = a->next) {
    if (space == Namespace::svg) a->name = restore_case(kSvgAttributes, a->name);
    if (space == Namespace::mathml && a->name == "definitionurl") a->name = "definitionURL";
    a->prefixed = std::find(std::begin(kPrefixed), std::end(kPrefixed), a->name) != std::end(kPrefixed);
  }
}

void TreeBuilder::foreign(Token& token) {
  switch (token.type) {
    case Token::Type::characters: {
      if (!all_html_space(token.text)) {
        for (char c : token.text)
          if (c != '\0' && !is_html_space(c)) frameset_ok_ = false;
      }
      for (size_t at = 0; at < token.text.size();) {
        size_t nul = std::min(token.text.find('\0', at), token.text.size());
        insert_text(token.text.substr(at, nul - at));
        if (nul < token.text.size()) insert_text("\xEF\xBF\xBD");
        at = nul + 1;
      }
      return;
    }
    case Token::Type::comment:
      return insert_comment(token);
    case Token::Type::doctype:
      return;
    case Token::Type::end_of_file:
      return;
    case Token::Type::start_tag: {
      bool breakout = kBreakout.has(token.tag);
      if (token.tag == Tag::font)
        for (Attribute* a = token.attributes; a != nullptr; a = a->next)
          breakout = breakout || a->name == "color" || a->name == "face" || a->name == "size";
      if (breakout) {
        while (open_.size() > 1 && current()->space != Namespace::html && !is_mathml_text_point(current()) &&
               !is_html_integration_point(current()))
          pop();
        return process_in(mode_, token);
      }
      Node* parent = adjusted_current();
      insert_element(token, parent->space);
      if (token.self_closing) pop();
      return;
    }
    case Token::Type::end_tag: {
      if (token.tag == Tag::br || token.tag == Tag::p) {
        while (open_.size() > 1 && current()->space != Namespace::html && !is_mathml_text_point(current()) &&
               !is_html_integration_point(current()))
          pop();
        return process_in(mode_, token);
      }
      for (size_t i = open_.size(); i-- > 0;) {
        Node* node = open_[i];
        if (i > 0 && node->space == Namespace::html) return process_in(mode_, token);
        if (i == 0) return;
        if (!equal_nocase(node->name, token.name)) continue;
        while (open_.size() > i) pop();
        return;
      }
      return;
    }
  }
}

}  // namespace llmkit::text
