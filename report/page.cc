#include "report/page.h"

#include <utility>
#include <vector>

#include "report/html.h"
#include "report/sections.h"

namespace autodidact::report {
namespace {

constexpr const char* kStyle = R"(
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--text:#1b1f24;--soft:#5b6570;--edge:#dde1e6;--grid:#e8ebef;
--c0:#2563eb;--c1:#d97706;--c2:#059669;--c3:#c026d3;--bad:#c81e1e;--good:#0f7b4f;--warn:#a15c00;--chip:#eef1f5}
@media (prefers-color-scheme:dark){:root{--bg:#111418;--card:#1a1f25;--text:#e6e9ed;--soft:#9aa5b1;--edge:#2c333b;
--grid:#28303a;--c0:#6ea8fe;--c1:#f5b041;--c2:#3ddc97;--c3:#e879f9;--bad:#ff7b72;--good:#3ddc97;--warn:#f5b041;
--chip:#262d36}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1240px;margin:0 auto;padding:16px 16px 64px}
header{margin:8px 0 16px}
h1{font-size:1.6rem;margin:0;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:32px 0 12px}
h3{font-size:1rem;margin:20px 0 8px;overflow-wrap:anywhere}
h5{font-size:.9rem;margin:14px 0 4px}
header p,.note{color:var(--soft);margin:4px 0;overflow-wrap:anywhere}
.notice{border-left:4px solid var(--warn);background:var(--card);padding:8px 12px;margin:8px 0;border-radius:4px;
overflow-wrap:anywhere}
.alarm{border:2px solid var(--bad);border-left-width:8px;background:var(--card);padding:10px 14px;margin:12px 0 16px;
border-radius:6px;overflow-wrap:anywhere}
.alarm b{color:var(--bad)}
.alarm ul{margin:6px 0 0;padding-left:20px}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(140px,1fr));gap:10px}
.tile{background:var(--card);border:1px solid var(--edge);border-radius:8px;padding:10px 12px;display:flex;
flex-direction:column}
.tile span,.tile small{color:var(--soft);font-size:.8rem}
.tile b{font-size:1.35rem;font-variant-numeric:tabular-nums}
.bad b{color:var(--bad)}.good b{color:var(--good)}.warn b{color:var(--warn)}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr));gap:14px}
figure{margin:0;background:var(--card);border:1px solid var(--edge);border-radius:8px;padding:12px;display:flex;
flex-direction:column;min-width:0}
figcaption{font-weight:600}
svg{width:100%;height:auto;display:block;margin-top:auto}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 14px;margin:4px 0 6px;padding:0;font-size:.8rem;
color:var(--soft)}
.legend b{color:var(--text);font-variant-numeric:tabular-nums}
.key{display:inline-block;width:14px;height:4px;border-radius:2px;margin-right:6px;vertical-align:middle}
.k0{background:var(--c0)}.k1{background:var(--c1)}.k2{background:var(--c2)}.k3{background:var(--c3)}
.line{fill:none;stroke-width:1.8;stroke-linejoin:round}
.c0{stroke:var(--c0)}.c1{stroke:var(--c1)}.c2{stroke:var(--c2)}.c3{stroke:var(--c3)}
.point{fill:var(--card);stroke-width:1.4}
.band{fill:var(--c0);opacity:.14}
.grid{stroke:var(--grid);stroke-width:1}
.mark{stroke:var(--bad);stroke-width:1.5;stroke-dasharray:4 3}
.hover{fill:transparent}.hover:hover{fill:var(--soft);opacity:.18}
.tick,.axis{fill:var(--soft);font-size:10.5px}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--edge);border-radius:8px}
table{border-collapse:collapse;width:100%;font-size:.88rem;font-variant-numeric:tabular-nums}
td,th{padding:6px 12px;text-align:right;border-top:1px solid var(--grid);white-space:nowrap}
thead th{border-top:0;color:var(--soft);font-weight:500}
th:first-child{text-align:left;font-weight:500;white-space:normal;min-width:9rem}
.left td{text-align:left;white-space:normal;overflow-wrap:anywhere;vertical-align:top}
td small{color:var(--soft)}
.left td:first-child{white-space:nowrap}
@media (max-width:520px){td,th{padding:6px 8px}}
.met{color:var(--good)}.not_met{color:var(--bad)}.invalid{color:var(--warn)}
details{background:var(--card);border:1px solid var(--edge);border-radius:8px;margin:8px 0;padding:0 12px;min-width:0}
summary{cursor:pointer;padding:10px 0;overflow-wrap:anywhere}
details details{border-radius:6px}
.group{padding-bottom:10px}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--bg);border-radius:6px;padding:8px 10px;margin:4px 0;
font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;max-height:28rem;overflow-y:auto}
.chip{display:inline-block;background:var(--chip);border-radius:10px;padding:0 8px;font-size:.78rem;font-weight:500;
font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
details>.scroll{margin-bottom:12px}
)";

std::string Section(const std::string& title, const std::string& body) {
  return body.empty() ? "" : "<section><h2>" + title + "</h2>\n" + body + "</section>\n";
}

std::string Header(const Run& run) {
  std::string html = "<header><h1>" + Escape(run.name) + "</h1>\n<p>";
  bool first = true;
  for (const char* key : {"estimator", "model", "seed"}) {
    const std::string value = ConfigValue(run.config, key);
    if (value.empty()) continue;
    html += (first ? "" : " · ") + std::string(key) + ": " + Escape(value);
    first = false;
  }
  html += "</p></header>\n";
  for (const std::string& notice : run.notices) html += "<p class=\"notice\">" + Escape(notice) + "</p>\n";
  return html;
}

}  // namespace

std::string Page(const Run& run) {
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
      Escape(run.name) + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n<main>\n";
  html += Header(run);
  html += AlarmBox(run);
  html += Tiles(run);
  html += Section("The course of the run", Plots(run));
  html += Section("Estimators", EstimatorTables(run));
  html += Section("What failed", FailureTable(run));
  html += Section("Rollouts", Browser(run));
  std::string rest;
  if (const std::string metrics = AllMetrics(run); !metrics.empty()) rest += Details("All metrics", metrics);
  if (!run.config.empty()) rest += Details("Config", "<pre>" + Escape(run.config) + "</pre>\n");
  html += Section("Everything else", rest);
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace autodidact::report
