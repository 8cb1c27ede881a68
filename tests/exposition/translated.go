// Prints what Prometheus' own library makes of names, to translated.golden.jsonl beside this file:
//
//	mkdir /tmp/t && cp translated.go /tmp/t/main.go && cd /tmp/t && go mod init t
//	go get github.com/prometheus/otlptranslator@v1.0.0 && go run . > translated.golden.jsonl
//
// A line is [name, unit, type, strategy, namespace, translated] of a metric, or
// [key, UTF-8 allowed, key_ prefix, underscores kept, translated] of a label; an empty translation
// is an error of the library.

package main

import (
	"encoding/json"
	"os"

	translator "github.com/prometheus/otlptranslator"
)

func main() {
	names := []string{
		"claude_code.session.count", "claude_code.lines_of_code.count", "claude_code.pull_request.count",
		"claude_code.commit.count", "claude_code.cost.usage", "claude_code.token.usage",
		"claude_code.code_edit_tool.decision", "claude_code.active_time.total", "total", "a.ratio",
		"2xx.count", "a__b..c", ".a.", "___", "gemini:x/y", "requests.per_second", "seconds", "größe", "x.total.total",
	}
	units := []string{"", "USD", "tokens", "s", "1", "{packet}", "By/s", "ms", "%", "a/b", "/s", "m/{x}", "  s ", "$€", "per_x", "x_", "x_/y_"}
	types := map[string]translator.MetricType{
		"counter": translator.MetricTypeMonotonicCounter, "gauge": translator.MetricTypeGauge, "other": translator.MetricTypeUnknown,
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	rows := 0
	// A sample is enough: every eleventh name of a metric is printed, and every label.
	print := func(row any, every int) {
		if rows++; rows%every == 0 {
			encoder.Encode(row)
		}
	}
	for _, strategy := range []translator.TranslationStrategyOption{
		translator.UnderscoreEscapingWithSuffixes, translator.UnderscoreEscapingWithoutSuffixes,
		translator.NoUTF8EscapingWithSuffixes, translator.NoTranslation,
	} {
		for _, namespace := range []string{"", "eco.system"} {
			namer := translator.NewMetricNamer(namespace, strategy)
			for _, name := range names {
				for _, unit := range units {
					for _, kind := range []string{"counter", "gauge", "other"} {
						text, err := namer.Build(translator.Metric{Name: name, Unit: unit, Type: types[kind]})
						if err != nil {
							text = ""
						}
						print([]string{name, unit, kind, string(strategy), namespace, text}, 11)
					}
				}
			}
		}
	}
	labels := []string{"session.id", "user.account_uuid", "a__b", "_a", "__a", "__name__", "__a.b__", "1st", "___", "..", "größe", "a..b", "____", "type", "-"}
	for _, utf8 := range []bool{false, true} {
		for _, prefix := range []bool{false, true} {
			for _, keep := range []bool{false, true} {
				namer := translator.LabelNamer{UTF8Allowed: utf8, UnderscoreLabelSanitization: prefix, PreserveMultipleUnderscores: keep}
				for _, label := range labels {
					text, err := namer.Build(label)
					if err != nil {
						text = ""
					}
					print([]any{label, utf8, prefix, keep, text}, 1)
				}
			}
		}
	}
}
