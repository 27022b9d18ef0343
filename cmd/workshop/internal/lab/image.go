package lab

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/protocluster/workshop/cmd/workshop/internal/durable"
)

const (
	consulPinned  = "hashicorp/consul:1.19.2"
	consulStandIn = "protocluster-lab/consul:1.19.2" // the same Consul, of make images
	consulProgram = ".bin/consul"                    // of make consul
)

// Images makes all images that the lab can run with, from static programs alone.
func (l *Lab) Images(ctx context.Context) error {
	arch, err := l.arch(ctx)
	if err != nil {
		return err
	}
	if err := l.standIn(ctx); err != nil {
		return err
	}
	for _, c := range []Code{Library, Solutions} {
		l.Tell("building %s", c.image())
		if err := l.memberImage(ctx, c, arch); err != nil {
			return err
		}
	}
	if _, err = l.docker.command(ctx, "tag", Library.image(), "protocluster-lab/member:latest"); err != nil {
		return err
	}
	l.Tell("go tool workshop lab up uses them; docker compose up alone does with CONSUL_IMAGE=%s", consulStandIn)
	return nil
}

// arch is the architecture of the machine that Docker runs on, which may be another.
func (l *Lab) arch(ctx context.Context) (string, error) {
	return l.docker.command(ctx, "version", "--format", "{{.Server.Arch}}")
}

func (l *Lab) has(ctx context.Context, image string) bool {
	_, err := l.docker.command(ctx, "image", "inspect", image)
	return err == nil
}

// consulImage is CONSUL_IMAGE, or else the pinned one, or else its stand-in,
// whichever is here; one that is not is fetched if possible.
func (l *Lab) consulImage(ctx context.Context) (string, error) {
	asked := os.Getenv("CONSUL_IMAGE")
	image := consulPinned
	if asked != "" {
		image = asked
	}
	switch {
	case l.has(ctx, image):
		return image, nil
	case asked == "" && l.has(ctx, consulStandIn):
		return consulStandIn, nil
	case asked == "" && l.built():
		return consulStandIn, l.standIn(ctx)
	}
	l.Tell("fetching %s", image)
	if _, err := l.docker.command(ctx, "pull", "--quiet", image); err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", fmt.Errorf("the image %s is not here, and no registry can be reached; run make images, which makes one without", image)
	}
	return image, nil
}

func (l *Lab) built() bool {
	_, err := os.Stat(filepath.Join(l.Root, consulProgram))
	return err == nil
}

// standIn makes an image of the Consul that make consul has made.
func (l *Lab) standIn(ctx context.Context) error {
	if !l.built() {
		return fmt.Errorf("there is no %s to make an image of; run make images, which makes it first", consulProgram)
	}
	l.Tell("building %s", consulStandIn)
	dir := l.path("image-consul")
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o755); err != nil {
		return err
	}
	if err := copyFile(filepath.Join(l.Root, consulProgram), filepath.Join(dir, "consul")); err != nil {
		return err
	}
	const dockerfile = `FROM scratch
ENV PATH=/bin
COPY consul /bin/consul
COPY --chown=100:1000 data /consul/data
USER 100:1000
ENTRYPOINT ["consul"]
`
	if err := durable.Write(filepath.Join(dir, "Dockerfile"), []byte(dockerfile)); err != nil {
		return err
	}
	_, err := l.docker.command(ctx, "build", "--quiet", "--tag", consulStandIn, "--label", "protocluster.lab=true", dir)
	_ = os.Remove(filepath.Join(dir, "consul")) // it is large, and in the image
	return err
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}
