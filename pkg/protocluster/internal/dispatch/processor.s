// This file lets functions without a body be linked to: see processor.go.
