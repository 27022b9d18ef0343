package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// probePatience bounds what -probe asks.
const probePatience = 3 * time.Second

// serveHealth adds gRPC's health service to a member's port: it serves from the
// time on when the member is up until it is told to stop.
func serveHealth() (*health.Server, remote.Option) {
	h := health.NewServer()
	h.SetServingStatus("", grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	return h, remote.WithService(&grpc_health_v1.Health_ServiceDesc, h)
}

// probe asks a member whether it serves, by its host:port; or writes what an http
// URL answers to out. It is for containers in which there is no other program.
func probe(ctx context.Context, target string, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, probePatience)
	defer cancel()
	if strings.Contains(target, "://") {
		return fetch(ctx, target, out)
	}
	conn, err := grpc.NewClient("passthrough:///"+target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("member: probe %s: %w", target, err)
	}
	defer conn.Close()
	answer, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		return fmt.Errorf("member: probe %s: %w", target, err)
	}
	fmt.Fprintln(out, answer.GetStatus())
	if answer.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		return fmt.Errorf("member: the one at %s is not up", target)
	}
	return nil
}

func fetch(ctx context.Context, url string, out io.Writer) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("member: probe %s: %w", url, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("member: probe: %w", err)
	}
	defer response.Body.Close()
	_, err = io.Copy(out, response.Body)
	if response.StatusCode != http.StatusOK {
		err = errors.Join(err, fmt.Errorf("member: probe %s: %s", url, response.Status))
	}
	return err
}
