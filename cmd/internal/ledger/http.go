package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// entry is a request to save, or to load if there is no number.
type entry struct {
	Claim

	Number int64 `json:"number"`
}

const longest = 4096 // of a request or an answer, in bytes

// Handler serves the ledger: POST /load and POST /save.
func (l *Ledger) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /load", serve(func(e entry) (int64, error) { return l.Load(e.Claim) }))
	mux.HandleFunc("POST /save", serve(func(e entry) (int64, error) { return e.Number, l.Save(e.Claim, e.Number) }))
	return mux
}

func serve(do func(e entry) (int64, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var e entry
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, longest)).Decode(&e); err != nil || e.User == "" {
			http.Error(w, "write JSON with the name of a user", http.StatusBadRequest)
			return
		}
		number, err := do(e)
		if err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(entry{Number: number}) // who has gone does not hear it
	}
}

// Client is a ledger elsewhere.
type Client struct {
	url  string
	http *http.Client
}

// Dial returns the ledger at url, such as http://ledger:7070. It connects to
// nobody yet.
func Dial(url string) *Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute}
	return &Client{url: strings.TrimSuffix(url, "/"), http: &http.Client{Transport: transport}}
}

// Close ends the connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Load is Ledger.Load.
func (c *Client) Load(ctx context.Context, claim Claim) (int64, error) {
	return c.ask(ctx, "/load", entry{Claim: claim})
}

// Save is Ledger.Save. After any other error than ErrStale the number may have
// been saved.
func (c *Client) Save(ctx context.Context, claim Claim, number int64) error {
	_, err := c.ask(ctx, "/save", entry{Claim: claim, Number: number})
	return err
}

func (c *Client) ask(ctx context.Context, path string, e entry) (int64, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return 0, fmt.Errorf("ledger: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+path, bytes.NewReader(text))
	if err != nil {
		return 0, fmt.Errorf("ledger: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return 0, fmt.Errorf("ledger: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, longest))
	switch {
	case err != nil:
		return 0, fmt.Errorf("ledger: %w", err)
	case response.StatusCode == http.StatusConflict:
		return 0, ErrStale
	case response.StatusCode != http.StatusOK:
		return 0, fmt.Errorf("ledger: %s: %s", response.Status, strings.TrimSpace(string(answer)))
	}
	var got entry
	if err := json.Unmarshal(answer, &got); err != nil {
		return 0, fmt.Errorf("ledger: %w", err)
	}
	return got.Number, nil
}
